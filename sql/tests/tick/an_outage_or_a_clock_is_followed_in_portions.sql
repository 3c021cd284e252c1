-- tick: after an outage, and when the clock was set back, it sets right 10,000 claims and 1,000 schedules in
-- one call, and says that there are more. What it has not come to is held, and nothing is moved twice.
select plan(16);

select tap.set_clock('2030-01-01 12:00Z');
select symphony.create_queue('q', lease => '30 s');
select symphony.tick();
do $$
begin
    perform count(*) from symphony.enqueue_batch((
        select jsonb_agg(jsonb_build_object('message_type', 'A', 'queue_name', 'q'))
        from generate_series(1, 10001)));
end $$;
do $$
begin
    for i in 1 .. 10001 loop
        perform symphony.claim_batch('{q}', 1, 'w' || i);
    end loop;
end $$;
create function pg_temp.held(least_lease interval) returns bigint language sql as $$
    select count(*) from symphony.claim
    where open_ids <> '{}' and lease_until >= symphony._now() + least_lease
$$;
create function pg_temp.tick(out recovered integer, out has_more boolean) language sql as $$
    select (report ->> 'recovered')::integer, (report ->> 'has_more')::boolean from symphony.tick() as report
$$;

-- The server is away for a minute.
select tap.advance_clock('1 minute');
select results_eq('select * from pg_temp.tick()', 'values (0, true)', 'the first tick has not done with all');
select is(pg_temp.held('30 s'), 10000::bigint, 'ten thousand leases begin anew');
create temporary table left_over as
select claim_id from symphony.claim where open_ids <> '{}' and lease_until < symphony._now();
select is((select count(*) from left_over), 1::bigint, 'one is left');
select is(
    array(select symphony.extend_lease(array[claim_id]) from left_over),
    array(select claim_id from left_over), 'its worker goes on with it, as before the first tick'
);
update symphony.claim set lease_until = '2030-01-01 12:00:30Z'
where claim_id in (select claim_id from left_over);
select tap.advance_clock('1 s');
select results_eq('select * from pg_temp.tick()', 'values (0, false)', 'the next tick does the rest');
select is(pg_temp.held('29 s'), 10001::bigint, 'all leases have begun anew');
select is(
    (select count(distinct ticked_at) from symphony.tick where ticked_at > '2030-01-01 12:00:30Z'),
    1::bigint, 'until then there was no tick after the outage'
);

-- The clock is a day ahead for a while, and the workers say that they are there.
select symphony.create_schedule('s' || i, 'S', 'cron', '{"expression": "0 * * * *"}', queue_name => 'q',
                                catch_up => 'skip')
from generate_series(1, 1001) as i;
select tap.advance_clock('1 day');
select count(*)
from symphony.extend_lease((select array_agg(claim_id) from symphony.claim where open_ids <> '{}'), '4 h');
select symphony.tick() from generate_series(1, 2);
select is((select count(*) from symphony.schedule where next_run_at > '2030-01-02'), 1001::bigint,
          'every schedule is due in a day');

-- It is set back.
select tap.advance_clock('-1 day');
select results_eq('select * from pg_temp.tick()', 'values (0, true)', 'the first tick has not done with all');
select is(pg_temp.held('5 h'), 1::bigint, 'it moves ten thousand leases');
select tap.advance_clock('1 s');
select results_eq('select * from pg_temp.tick()', 'values (0, true)', 'nor has the second one');
select is((select count(*) from symphony.schedule where next_run_at > '2030-01-02'), 1::bigint,
          'it counts a thousand schedules anew');
select results_eq('select * from pg_temp.tick()', 'values (0, false)', 'the third one has');
select is((select count(*) from symphony.schedule where next_run_at > '2030-01-02'), 0::bigint,
          'no schedule waits for a day');
select results_eq(
    'select pg_temp.held(''4 h 1 s''), pg_temp.held(''3 h 59 min'')', 'values (0::bigint, 10001::bigint)',
    'each lease was moved once'
);
select is_empty('select * from symphony.check()', 'all invariants hold');
select * from finish();
