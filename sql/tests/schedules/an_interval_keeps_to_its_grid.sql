-- An interval schedule counts from starts_at, or from its creation, however late it is fired.
begin;
select plan(8);

select tap.set_clock('2027-03-01 08:00:07Z');

select is(
    symphony.create_schedule('poll', 'Poll', 'interval', '{"every": "15 minutes"}'),
    '2027-03-01 08:15:07Z', 'it runs first when one interval is over'
);
select is(
    symphony.create_schedule('round', 'Poll', 'interval', '{"every": "15 minutes"}',
                             starts_at => '2027-03-01 08:00Z'),
    '2027-03-01 08:15Z', 'a schedule whose starts_at is past is on the grid that starts there'
);
select is(
    symphony.create_schedule('later', 'Poll', 'interval', '{"every": "15 minutes"}',
                             starts_at => '2027-03-02 06:00Z'),
    '2027-03-02 06:00Z', 'a schedule whose starts_at is to come runs first then'
);
select is(
    symphony.create_schedule('daily', 'Poll', 'interval', '{"every": "1 day"}',
                             timezone => 'Europe/Paris', starts_at => '2027-03-27 09:00+01'),
    '2027-03-27 09:00+01', 'an interval of a day starts at its starts_at'
);

select tap.set_clock('2027-03-01 08:15:20Z');
select is(symphony.tick_schedules(), 2, 'the runs that are due are fired');
select is(next_run_at, '2027-03-01 08:30:07Z', 'a late run does not move the next')
from symphony.schedule where schedule_name = 'poll';

select tap.set_clock('2027-03-27 08:00Z');
select symphony.tick_schedules();
select is(next_run_at, '2027-03-28 10:00+02', 'a day of an interval has 24 hours, whatever the clocks do')
from symphony.schedule where schedule_name = 'daily';

select tap.set_clock('2027-03-27 08:01Z');
select symphony.tick_schedules();
select is(
    symphony.create_schedule('poll', 'Poll', 'interval', '{"every": "15 minutes"}'),
    '2027-03-27 08:15:07Z', 'a schedule that is created anew keeps its grid'
);

select * from finish();
rollback;
