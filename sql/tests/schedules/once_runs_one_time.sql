-- A schedule of type once enqueues one message, at its time.
begin;
select plan(11);

select tap.set_clock('2027-03-01 08:00Z');

select is(
    symphony.create_schedule('launch', 'Launch', 'once', '{"at": "2027-03-01 09:00+00"}'),
    '2027-03-01 09:00Z', 'its next run is its time'
);
select is(symphony.tick_schedules(), 0, 'nothing is fired before its time');

select tap.set_clock('2027-03-01 09:00Z');
select is(symphony.tick_schedules(), 1, 'it is fired at its time');
select is(symphony.tick_schedules(), 0, 'it is not fired again');
select results_eq(
    $$select enabled, next_run_at, last_run_at, run_count, last_error
      from symphony.schedule where schedule_name = 'launch'$$,
    $$values (true, null::timestamptz, '2027-03-01 09:00Z'::timestamptz, 1, null)$$,
    'it has no next run and is neither paused nor broken'
);
select is(
    symphony.create_schedule('launch', 'Launch', 'once', '{"at": "2027-03-01 09:00+00"}'),
    null, 'it does not run again when it is created anew for the same time'
);

select tap.set_clock('2027-03-01 10:00Z');
select is(symphony.tick_schedules(), 0, 'nothing is fired');
select is(
    symphony.create_schedule('launch', 'Launch', 'once', '{"at": "2027-03-02 09:00+00"}'),
    '2027-03-02 09:00Z', 'it runs again when it is created anew for another time'
);
select tap.set_clock('2027-03-02 09:00Z');
select is(symphony.tick_schedules(), 1, 'it is fired at that time');

select is(
    symphony.create_schedule('late', 'Launch', 'once', '{"at": "2027-01-01 00:00+00"}'),
    '2027-01-01 00:00Z', 'a time in the past is due'
);
select is(symphony.tick_schedules(), 1, 'the next tick fires it');

select * from finish();
rollback;
