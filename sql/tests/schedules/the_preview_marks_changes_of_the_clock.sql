-- schedule_preview: it shows the coming runs on the clocks of a zone, and marks where these are changed.
begin;
select plan(16);

select tap.set_clock('2027-03-26 12:00Z');

select results_eq(
    $$select run_at, local_time, utc_offset, changes_clock
      from symphony.schedule_preview('30 2 * * *', 4, 'Europe/Paris')$$,
    $$values ('2027-03-27 01:30Z'::timestamptz, '2027-03-27 02:30'::timestamp,
              '1 hour'::interval, false),
             ('2027-03-28 01:00Z', '2027-03-28 03:00', '2 hours', true),
             ('2027-03-29 00:30Z', '2027-03-29 02:30', '2 hours', false),
             ('2027-03-30 00:30Z', '2027-03-30 02:30', '2 hours', false)$$,
    'a run in the hour that spring skips is made up for at its end'
);
select tap.set_clock('2027-10-30 12:00Z');
select results_eq(
    $$select run_at, local_time, utc_offset, changes_clock
      from symphony.schedule_preview('30 2 * * *', 2, 'Europe/Paris')$$,
    $$values ('2027-10-31 00:30Z'::timestamptz, '2027-10-31 02:30'::timestamp,
              '2 hours'::interval, false),
             ('2027-11-01 01:30Z', '2027-11-01 02:30', '1 hour', true)$$,
    'a run in the hour that autumn repeats is made once'
);
select tap.set_clock('2027-10-31 00:50Z');
select results_eq(
    $$select run_at, local_time, changes_clock
      from symphony.schedule_preview('*/30 * * * *', 3, 'Europe/Paris')$$,
    $$values ('2027-10-31 01:00Z'::timestamptz, '2027-10-31 02:00'::timestamp, true),
             ('2027-10-31 01:30Z', '2027-10-31 02:30', false),
             ('2027-10-31 02:00Z', '2027-10-31 03:00', false)$$,
    'a change between now and the first run is marked as well'
);

select tap.set_clock('2027-03-01 08:00Z');
select symphony.create_schedule('report', 'Report', 'cron', '{"expression": "H 9 * * *"}',
                                timezone => 'Europe/Paris');
select symphony.create_schedule('poll', 'Poll', 'interval', '{"every": "10 minutes"}',
                                max_runs => 2);
select symphony.create_schedule('launch', 'Launch', 'once', '{"at": "2027-03-01 09:00+00"}');

select is(
    (select run_at from symphony.schedule_preview('report', 1)),
    next_run_at, 'a name shows the runs of that schedule'
)
from symphony.schedule where schedule_name = 'report';
select is(count(*), 5::bigint, 'five runs are shown unless another number is given')
from symphony.schedule_preview('report');
select is(utc_offset, '1 hour', 'runs are shown on the clocks of its zone')
from symphony.schedule_preview('report', 1);
select is(run_at, '2027-03-01 14:00Z', 'runs are shown at the times they would have in another zone')
from symphony.schedule_preview('0 9 * * *', 1, 'America/New_York');
select is(utc_offset, '9 hours', 'a schedule''s runs can be shown on other clocks')
from symphony.schedule_preview('poll', 1, 'Asia/Tokyo');
select results_eq(
    $$select run_at from symphony.schedule_preview('poll')$$,
    $$values ('2027-03-01 08:10Z'::timestamptz), ('2027-03-01 08:20Z')$$,
    'runs are shown up to max_runs'
);
select results_eq(
    $$select run_at, utc_offset from symphony.schedule_preview('launch')$$,
    $$values ('2027-03-01 09:00Z'::timestamptz, '0 hours'::interval)$$,
    'a single run is shown once'
);
select is_empty($$select from symphony.schedule_run$$, 'a look fires nothing');
select is(
    run_at,
    '2026-01-01 08:00Z', 'runs after any time are shown'
)
from symphony.schedule_preview('0 8 * * *', 1, after => '2026-01-01Z');
select results_eq(
    $$select changes_clock from symphony.schedule_preview('0 0 1 1 *', 3, 'Europe/Paris', '2026-01-01Z')$$,
    $$values (true), (true), (true)$$,
    'a year changes the clocks, although they end as they began'
);
select is(
    zone,
    'Europe/Paris', 'the zone is that of the schedule'
)
from symphony.schedule_preview('report', 1);
select is(zone, 'Asia/Tokyo', 'the zone is the one that was asked for')
from symphony.schedule_preview('report', 1, 'Asia/Tokyo');
select is(zone, 'UTC', 'the zone is UTC unless given') from symphony.schedule_preview('@daily', 1);

select * from finish();
rollback;
