-- catch_up last, the default: the last missed run is made up for, however many were missed.
begin;
select plan(6);

select tap.set_clock('2027-03-01 08:30Z');
select symphony.create_schedule('hourly', 'Poll', 'cron', '{"expression": "0 * * * *"}');

select tap.set_clock('2027-03-01 12:40Z');
select is(symphony.tick_schedules(), 1, 'one message is sent for four runs');
select results_eq(
    $$select scheduled_at from symphony.schedule_run$$,
    $$values ('2027-03-01 12:00Z'::timestamptz)$$,
    'it is for the last of them'
);
select is(next_run_at, '2027-03-01 13:00Z', 'the next run is to come') from symphony.schedule;
select is(symphony.tick_schedules(), 0, 'nothing else is made up for');

select tap.set_clock('2027-03-01 13:50Z');
select is(symphony.tick_schedules(), 1, 'a single missed run is made up for as well');
select is(last_run_at, '2027-03-01 13:00Z', 'it is made up for with its own time') from symphony.schedule;

select * from finish();
rollback;
