-- claim_batch: messages of a transaction that is still open cost a worker nothing, in whatever queue they are.
select plan(2);

select symphony.create_queue('full'), symphony.create_queue('other'), dblink_connect('producer', tap.dsn());
create function pg_temp.cost(queues text) returns integer language plpgsql as $$
declare v_plan jsonb; v_least integer;
begin
    for i in 1 .. 5 loop    -- the first calls read the catalog
        execute format('explain (analyze, buffers, format json) select * from symphony.claim_batch(%L)', queues) into v_plan;
        v_least := least(v_least, (v_plan -> 0 -> 'Plan' ->> 'Shared Hit Blocks')::integer + (v_plan -> 0 -> 'Plan' ->> 'Shared Read Blocks')::integer);
    end loop;
    return v_least;
end $$;
select dblink_exec('producer', 'begin');
select dblink_exec('producer', $$insert into symphony.message (enqueued_at, lane_id, message_type, body, headers)
    select now(), lane_id, 'A', '{}', '{}' from symphony.lane, generate_series(1, 20000)
    where queue_name = 'full' and priority = 5 and not alone$$);
select cmp_ok(pg_temp.cost('{full}'), '<', 100, 'in the only queue');
select cmp_ok(pg_temp.cost('{full,other}'), '<', 100, 'and in one before another');
select dblink_exec('producer', 'commit');
select * from finish();
