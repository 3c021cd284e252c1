-- catch_up skip: a run is fired within a minute of its time, or not at all.
begin;
select plan(9);

select tap.set_clock('2027-03-01 08:00:30Z');
select symphony.create_schedule('hourly', 'Poll', 'cron', '{"expression": "0 * * * *"}',
                                catch_up => 'skip');

select tap.set_clock('2027-03-01 09:01Z');
select is(symphony.tick_schedules(), 1, 'a run that is a minute late is in time');

select tap.set_clock('2027-03-01 12:01:01Z');
select is(symphony.tick_schedules(), 0, 'a run that is later is not');
select results_eq(
    $$select next_run_at, last_run_at, run_count, enabled from symphony.schedule$$,
    $$values ('2027-03-01 13:00Z'::timestamptz, '2027-03-01 09:00Z'::timestamptz, 1, true)$$,
    'the schedule goes on with the next run'
);
select results_eq(
    $$select scheduled_at, message_id is null, skipped from symphony.schedule_run
      where skipped is not null$$,
    $$values ('2027-03-01 12:00Z'::timestamptz, true, 'missed')$$,
    'the history says that runs were missed, with the last of them'
);

select tap.set_clock('2027-03-01 16:00:02Z');
select is(symphony.tick_schedules(), 1, 'the run whose time it is is fired after a gap');
select is(last_run_at, '2027-03-01 16:00Z', 'the last run is that one') from symphony.schedule;

select symphony.create_schedule('quick', 'Poll', 'interval', '{"every": "1 second"}',
                                catch_up => 'skip');
select tap.set_clock('2027-03-01 16:00:05.5Z');
select is(
    symphony.tick_schedules(),
    1, 'runs closer together than the ticks are fired once a tick'
);
select is(last_run_at, '2027-03-01 16:00:05Z', 'the last of them is fired')
from symphony.schedule where schedule_name = 'quick';
select is(next_run_at, '2027-03-01 16:00:06Z', 'the next one is to come')
from symphony.schedule where schedule_name = 'quick';

select * from finish();
rollback;
