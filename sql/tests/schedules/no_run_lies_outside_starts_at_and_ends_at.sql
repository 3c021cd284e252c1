-- A schedule runs neither before starts_at nor after ends_at.  Both moments themselves count.
begin;
select plan(9);

select tap.set_clock('2027-03-01 08:00Z');

select is(
    symphony.create_schedule('season', 'Poll', 'cron', '{"expression": "0 * * * *"}',
                             starts_at => '2027-03-01 12:00Z', ends_at => '2027-03-01 13:00Z'),
    '2027-03-01 12:00Z', 'the first run may be at starts_at'
);
select tap.set_clock('2027-03-01 12:00Z');
select is(symphony.tick_schedules(), 1, 'it is fired');
select is(next_run_at, '2027-03-01 13:00Z', 'the last run may be at ends_at')
from symphony.schedule where schedule_name = 'season';
select tap.set_clock('2027-03-01 13:00:05Z');
select is(symphony.tick_schedules(), 1, 'it is fired even if the tick comes after ends_at');
select is(next_run_at, null, 'no run follows it')
from symphony.schedule where schedule_name = 'season';

select is(
    symphony.create_schedule('over', 'Poll', 'cron', '{"expression": "0 * * * *"}',
                             ends_at => '2027-03-01 13:30Z'),
    null, 'a schedule that ends before its next time never runs'
);
select is(
    symphony.create_schedule('early', 'Poll', 'once', '{"at": "2027-03-02 00:00+00"}',
                             starts_at => '2027-03-03 00:00Z'),
    null, 'a single run before starts_at never runs'
);
select is(
    symphony.create_schedule('sparse', 'Poll', 'interval', '{"every": "20 minutes"}',
                             starts_at => '2027-03-01 14:00Z', ends_at => '2027-03-01 14:50Z',
                             catch_up => 'all'),
    '2027-03-01 14:00Z', 'an interval starts at starts_at'
);
select tap.set_clock('2027-03-01 18:00Z');
select is(symphony.tick_schedules(), 3, 'what is made up for lies inside as well');

select * from finish();
rollback;
