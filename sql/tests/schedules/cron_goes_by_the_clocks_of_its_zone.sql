-- A cron schedule runs at the times of its expression on the clocks of its zone.
begin;
select plan(7);

select tap.set_clock('2027-03-26 12:00Z');

select is(
    symphony.create_schedule('report', 'Report', 'cron', '{"expression": "0 9 * * *"}',
                             timezone => 'Europe/Paris'),
    '2027-03-27 08:00Z', 'nine in Paris in winter is eight in UTC'
);
select is(
    symphony.create_schedule('utc', 'Report', 'cron', '{"expression": "0 9 * * *"}'),
    '2027-03-27 09:00Z', 'the zone is UTC unless given'
);

select tap.set_clock('2027-03-27 08:00Z');
select is(symphony.tick_schedules(), 1, 'it is fired at its time');
select is(next_run_at, '2027-03-28 07:00Z', 'nine in Paris in summer is an hour earlier')
from symphony.schedule where schedule_name = 'report';
select is(symphony.tick_schedules(), 0, 'each time is fired once');

select tap.set_clock('2027-03-28 07:00:00.4Z');
select symphony.tick_schedules();
select results_eq(
    $$select scheduled_at, fired_at from symphony.schedule_run
      where schedule_name = 'report' order by scheduled_at$$,
    $$values ('2027-03-27 08:00Z'::timestamptz, '2027-03-27 08:00Z'::timestamptz),
             ('2027-03-28 07:00Z', '2027-03-28 07:00:00.4Z')$$,
    'the history has the time it was for and the time it was fired'
);
select isnt(
    symphony.create_schedule('a', 'Report', 'cron', '{"expression": "H H * * *"}'),
    symphony.create_schedule('b', 'Report', 'cron', '{"expression": "H H * * *"}'),
    'H is drawn from the name of the schedule'
);

select * from finish();
rollback;
