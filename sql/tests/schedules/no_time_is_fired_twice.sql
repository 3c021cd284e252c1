-- A run is unique by schedule and time, even if the clock goes back.
begin;
select plan(8);

select tap.set_clock('2027-03-01 08:30Z');
select symphony.create_schedule('hourly', 'Poll', 'cron', '{"expression": "0 * * * *"}');
select tap.set_clock('2027-03-01 09:00Z');
select is(symphony.tick_schedules(), 1, 'a run is fired');

select tap.set_clock('2027-03-01 08:59:59Z');
select is(symphony.tick_schedules(), 0, 'nothing is due when the clock was put back');
select symphony.pause_schedule('hourly');
select is(
    symphony.resume_schedule('hourly'),
    '2027-03-01 09:00Z', 'the same time is made due again'
);
select tap.set_clock('2027-03-01 09:00Z');
select is(symphony.tick_schedules(), 0, 'it is not fired again');
select results_eq(
    $$select enabled, next_run_at, run_count, last_error from symphony.schedule$$,
    $$values (true, '2027-03-01 10:00Z'::timestamptz, 1, null)$$,
    'the schedule is well and goes on'
);
select tap.set_clock('2027-03-01 10:00Z');
select is(symphony.tick_schedules(), 1, 'the next run is fired');
select is(count(*), 2::bigint, 'two messages are sent in all') from symphony.message;

select throws_ok(
    $$insert into symphony.schedule_run (schedule_name, scheduled_at, fired_at, skipped)
      values ('hourly', '2027-03-01 10:00Z', '2027-03-01 10:00Z', 'missed')$$,
    '23505', null, 'the key of the table forbids it as well'
);

select * from finish();
rollback;
