-- A schedule enqueues max_runs messages and no more.
begin;
select plan(9);

select tap.set_clock('2027-03-01 08:00Z');
select symphony.create_schedule('twice', 'Poll', 'interval', '{"every": "1 minute"}',
                                max_runs => 2);

select tap.set_clock('2027-03-01 08:01Z');
select is(symphony.tick_schedules(), 1, 'the first run is fired');
select tap.set_clock('2027-03-01 08:02Z');
select is(symphony.tick_schedules(), 1, 'the second run is fired');
select tap.set_clock('2027-03-01 08:03Z');
select is(symphony.tick_schedules(), 0, 'no third run is fired');
select results_eq(
    $$select next_run_at, run_count from symphony.schedule where schedule_name = 'twice'$$,
    $$values (null::timestamptz, 2)$$,
    'it has no next run'
);
select is(
    symphony.create_schedule('twice', 'Poll', 'interval', '{"every": "1 minute"}', max_runs => 3),
    '2027-03-01 08:04Z', 'it goes on when it may run more often'
);

select symphony.create_schedule('burst', 'Poll', 'interval', '{"every": "1 minute"}',
                                catch_up => 'all', max_runs => 3);
select symphony.create_schedule('by hand', 'Poll', 'interval', '{"every": "1 minute"}',
                                max_runs => 1);
select ok(symphony.run_schedule_now('by hand') > 0, 'a run by hand counts');
select is(next_run_at, null, 'a run by hand may be the last one')
from symphony.schedule where schedule_name = 'by hand';

select tap.set_clock('2027-03-01 09:00Z');
select symphony.tick_schedules();
select is(run_count, 3, 'missed runs are made up for as far as max_runs allows')
from symphony.schedule where schedule_name = 'burst';
select is(run_count, 1, 'no run follows a run by hand that was the last')
from symphony.schedule where schedule_name = 'by hand';

select * from finish();
rollback;
