-- A paused schedule does not run, and when it is resumed it goes on with its next time.
begin;
select plan(13);

select tap.set_clock('2027-03-01 08:30Z');
select symphony.create_schedule('hourly', 'Poll', 'cron', '{"expression": "0 * * * *"}',
                                catch_up => 'all');
select symphony.create_schedule('once', 'Poll', 'once', '{"at": "2027-03-01 09:00+00"}');

select is(symphony.pause_schedule('hourly'), true, 'it is paused');
select is(symphony.pause_schedule('hourly'), false, 'a second time changes nothing');
select is(symphony.pause_schedule('once'), true, 'so is a single run');

select tap.set_clock('2027-03-01 12:30Z');
select is(symphony.tick_schedules(), 0, 'a paused schedule does not run');
select is(symphony.resume_schedule('hourly'), '2027-03-01 13:00Z', 'it is resumed');
select is(symphony.tick_schedules(), 0, 'without a burst');
select is(symphony.resume_schedule('hourly'), '2027-03-01 13:00Z', 'a second time changes nothing');
select is(symphony.resume_schedule('once'), null, 'the single run was missed');
select is_empty($$select from symphony.schedule_run$$, 'nothing was made up for');

select tap.set_clock('2027-03-01 13:00Z');
select is(symphony.tick_schedules(), 1, 'the next run is fired');

-- A run that is due is not lost by resume_schedule() for a schedule that was not paused.
select tap.set_clock('2027-03-01 14:10Z');
select is(symphony.resume_schedule('hourly'), '2027-03-01 14:00Z', 'resumed while it is due');
select is(symphony.tick_schedules(), 1, 'it is still fired');

select symphony.pause_schedule('hourly');
select ok(symphony.run_schedule_now('hourly') > 0, 'by hand a paused schedule may run');

select * from finish();
rollback;
