-- tick: it takes back some 10,000 messages and fires some 1,000 in one call, and says that there are more.
select plan(6);

-- Twelve batches of a worker that vanished.
select tap.set_clock('2030-01-01 12:00Z');
select symphony.tick();
do $$
begin
    perform count(*) from symphony.enqueue_batch((
        select jsonb_agg(jsonb_build_object('message_type', 'A', 'body', i))
        from generate_series(1, 12000) as i));
end $$;
do $$
begin
    for i in 1 .. 12 loop
        perform symphony.claim_batch(batch_size => 1000, lease => '1 s');
    end loop;
end $$;
select tap.advance_clock('2 s');
select results_eq(
    $$select report ->> 'recovered', report ->> 'has_more' from symphony.tick() as report$$,
    $$values ('10000', 'true')$$,
    'a tick takes back ten batches of a thousand'
);
select results_eq(
    $$select report ->> 'recovered', report ->> 'has_more' from symphony.tick() as report$$,
    $$values ('2000', 'false')$$,
    'the next one takes back the others'
);

-- Schedules that catch up with an outage.
select symphony.create_schedule('s' || i, 'A', 'interval', '{"every": "1 second"}',
                                catch_up => 'all', catch_up_limit => 600)
from generate_series(1, 3) as i;
select tap.advance_clock('600 s');
select results_eq(
    $$select report ->> 'fired', report ->> 'has_more' from symphony.tick() as report$$,
    $$values ('1200', 'true')$$,
    'a tick ends with the schedule that has fired the thousandth message'
);
select results_eq(
    $$select report ->> 'fired', report ->> 'has_more' from symphony.tick() as report$$,
    $$values ('600', 'false')$$,
    'the next one fires the other'
);
select is((select count(*) from symphony.schedule_run), 1800::bigint, 'each run was fired once');
select is_empty('select * from symphony.check()', 'all invariants hold');
select * from finish();
