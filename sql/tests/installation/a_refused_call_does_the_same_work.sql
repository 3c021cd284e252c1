-- What a limited role is refused takes the same work whether the queue exists or not, so no clock tells
-- it the names of queues.  Work is counted: calls of functions, scans of tables and rows that were read.
select plan(2);

create role sy_work_enqueuer;
create role sy_work_producer;
create role sy_work_consumer;
grant usage on schema tap to public;
select symphony.create_queue(name) from unnest('{mail,sms,empty}'::text[]) as name;
select symphony.create_transport('sms', 'rabbitmq'), symphony.create_transport('empty', 'postgres', 'empty');
select symphony.grant_access('sy_work_enqueuer', 'enqueuer', '{mail}'),
       symphony.grant_access('sy_work_producer', 'producer', '{mail}'),
       symphony.grant_access('sy_work_consumer', 'consumer', '{mail}');
select symphony.enqueue('A', queue_name => 'sms', idempotency_key => 'k') from generate_series(1, 3);
select symphony.enqueue('A', queue_name => 'sms') from generate_series(1, 3);
select symphony.heartbeat('w', '{sms}'), symphony.idle('w', '{sms}');
set track_functions = 'all';

create function pg_temp.counted() returns jsonb language sql volatile as $$
    select jsonb_object_agg(name, n)
    from (select 'calls of ' || funcname as name, calls as n from pg_stat_xact_user_functions
          where schemaname = 'symphony'
          union all
          select kind || ' of ' || relname, n
          from pg_stat_xact_user_tables, unnest(
              '{scans,index scans,rows read,rows fetched}'::text[],
              array[seq_scan, idx_scan, seq_tup_read, idx_tup_fetch]) as read (kind, n)
          where schemaname = 'symphony') as counted
$$;
-- What a statement does as a role, the third time: by then all plans are made.
create function pg_temp.work(role_name text, statement text) returns text language plpgsql as $$
declare v_before jsonb; v_after jsonb; begin
    perform set_config('role', role_name, true);
    for i in 1 .. 3 loop
        perform set_config('role', 'none', true);
        v_before := pg_temp.counted();
        perform set_config('role', role_name, true);
        perform tap.error_of(statement);
        perform set_config('role', 'none', true);
        v_after := pg_temp.counted();
    end loop;
    return (select string_agg(a.key || ': ' || (a.value::bigint - coalesce((v_before ->> a.key)::bigint, 0)),
                              ', ' order by a.key)
            from jsonb_each_text(v_after) as a
            where a.value::bigint <> coalesce((v_before ->> a.key)::bigint, 0));
end $$;

create temporary table call (access text, statement text);
insert into call values
    ('enqueuer', $$select symphony.enqueue('A', queue_name => %L)$$),
    ('enqueuer', $$select symphony.enqueue('A', queue_name => %L, priority => 9)$$),
    ('enqueuer', $$select symphony.enqueue('A', queue_name => %L, idempotency_key => 'k')$$),
    ('enqueuer', $$select symphony.enqueue('A', queue_name => %L, delay => '1 h')$$),
    ('enqueuer', $$select symphony.enqueue('', queue_name => %L)$$),
    ('enqueuer', $$select symphony.enqueue_batch(jsonb_build_array(
        jsonb_build_object('message_type', 'A', 'queue_name', %L::text)))$$),
    ('enqueuer', $$select symphony.enqueue_batch(jsonb_build_array(
        jsonb_build_object('message_type', 'A', 'queue_name', %L::text, 'idempotency_key', 'k')))$$),
    ('enqueuer', $$select symphony.enqueue_batch(jsonb_build_array(
        jsonb_build_object('message_type', '', 'queue_name', %L::text)))$$),
    ('consumer', $$select symphony.claim_batch(array[%L])$$),
    ('consumer', $$select symphony.claim_batch(array['mail', %L])$$),
    ('consumer', $$select symphony.heartbeat('mine', array[%L])$$),
    ('consumer', $$select symphony.idle('mine', array[%L])$$),
    ('consumer', $$select * from symphony.waiting_types(array[%L])$$),
    ('consumer', $$select symphony.first_receipt(%L, '1')$$),
    ('consumer', $$select * from symphony.return_delivery(%L, '1', 'A', '1', '{}', 1, 'x')$$);
insert into call select 'producer', statement from call where access = 'enqueuer';
create temporary table done as
select call.access, call.statement, queue.name,
       pg_temp.work('sy_work_' || call.access, format(call.statement, queue.name)) as work
from call cross join unnest('{sms,empty,nope}'::text[]) as queue (name);
select is_empty(
    $$select a.access, a.statement, a.name, a.work, b.work
      from done as a join done as b using (access, statement)
      where a.name <> 'nope' and b.name = 'nope' and a.work is distinct from b.work$$,
    'a queue that exists is refused by the same work as one that does not'
);
select is_empty(
    $$select access, statement, name, work from done where work is null or work !~ 'calls of _is_listed'$$,
    'and all of them were looked up in the list'
);

do $$
declare v_role text; begin
    for v_role in select rolname from pg_roles where starts_with(rolname, 'sy_work_') loop
        execute format('drop owned by %I', v_role);
        execute format('drop role %I', v_role);
    end loop;
end $$;
select * from finish();
