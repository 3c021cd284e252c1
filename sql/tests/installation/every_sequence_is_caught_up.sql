-- rebase: each sequence of which rows were copied without it goes on behind them.
select plan(5);

create temporary view counted as
select s.oid::regclass as sequence, t.oid::regclass as "table", a.attname as "column"
from pg_class as s
left join pg_depend as d on d.objid = s.oid and d.deptype = 'i' and d.refclassid = 'pg_class'::regclass
left join pg_class as t on t.oid = d.refobjid
left join pg_attribute as a on a.attrelid = t.oid and a.attnum = d.refobjsubid
where s.relnamespace = 'symphony'::regnamespace and s.relkind = 'S';
create function pg_temp.behind() returns setof regclass language plpgsql as $$
declare
    v_counted counted;
    v_used    bigint;
begin
    for v_counted in select * from counted where "table" is not null loop
        execute format('select max(%I) from %s', v_counted.column, v_counted.table) into v_used;
        if v_used > coalesce(pg_sequence_last_value(v_counted.sequence), 0) then
            return next v_counted.sequence;
        end if;
    end loop;
end $$;

select is_empty(
    $$select sequence from counted
      where "table" is null
        and (select prosrc from pg_proc where oid = 'symphony._catch_up_sequences'::regproc)
            !~ sequence::text$$,
    'a sequence is that of a column, or it is named'
);
select symphony.create_queue('q', key_rate => '1/minute');
select symphony.enqueue('A', queue_name => 'q', group_key => 'k') from generate_series(1, 3);
select symphony.create_transport('mail', queue_name => 'q');
select symphony.set_routes('B', '["mail"]');

select symphony.note('something happened');
create temporary table first as select * from symphony.claim_batch('{q}');
select symphony.nack_with_backoff(claim_id, message_id, 'x', retryable => false) from first;
select symphony.retry_failed(everything => true);
select symphony.tick(), symphony.tick();
insert into symphony.message (message_id, enqueued_at, lane_id, message_type, body, headers)
select 1000000, now(), lane_id, 'A', '{}', '{}' from symphony.lane limit 1;
select symphony.enqueue('C');
create temporary table second as select * from symphony.claim_batch();
update symphony.claim set claim_id = 70000::bigint * 65536 where claim_id = (select claim_id from second);

do $$
declare
    v_sequence regclass;
begin
    for v_sequence in select sequence from counted loop
        perform setval(v_sequence, 1, false);
    end loop;
end $$;
select cmp_ok((select count(*) from pg_temp.behind()), '>=', 8::bigint, 'eight or more tables have rows');
select symphony._catch_up_sequences();
select is_empty('select pg_temp.behind()', 'each sequence has caught up with its column');
select is(nextval('symphony.message_id_seq'), 1000001::bigint, 'and so has that of messages');
select is(nextval('symphony.claim_id_seq'), 70001::bigint, 'and that of claims');
select * from finish();
