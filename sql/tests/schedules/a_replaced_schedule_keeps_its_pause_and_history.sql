-- create_schedule with a known name: everything is as given now, and the next run is computed anew.
-- A paused schedule stays paused.
begin;
select plan(10);

select tap.set_clock('2027-03-01 08:00Z');
select symphony.create_queue('jobs');
select symphony.create_schedule('job', 'Poll', 'cron', '{"expression": "0 9 * * *"}');
select tap.set_clock('2027-03-01 09:00Z');
select symphony.tick_schedules();

select is(
    symphony.create_schedule(
        'job', 'Scan', 'interval', '{"every": "2 hours"}', body => '{"a": 1}', queue_name => 'jobs',
        priority => 7, headers => '{"b": 2}', timezone => 'Europe/Paris',
        starts_at => '2027-03-01 00:30Z', ends_at => '2027-04-01 00:00Z', max_runs => 5,
        jitter => '1 second', catch_up => 'all', catch_up_limit => 7, overlap => 'skip'),
    '2027-03-01 10:30Z', 'the next run is computed anew'
);
select results_eq(
    $$select message_type, schedule_type, schedule_config, body, queue_name, priority, headers
      from symphony.schedule$$,
    $$values ('Scan', 'interval', '{"every": "2 hours"}'::jsonb, '{"a": 1}'::jsonb, 'jobs', 7,
              '{"b": 2}'::jsonb)$$,
    'what it enqueues is replaced'
);
select results_eq(
    $$select timezone, starts_at, ends_at, max_runs, jitter, catch_up, catch_up_limit, overlap
      from symphony.schedule$$,
    $$values ('Europe/Paris', '2027-03-01 00:30Z'::timestamptz, '2027-04-01 00:00Z'::timestamptz, 5,
              '1 second'::interval, 'all', 7, 'skip')$$,
    'the rest is replaced'
);
select results_eq(
    $$select run_count, last_run_at, created_at, updated_at from symphony.schedule$$,
    $$values (1, '2027-03-01 09:00Z'::timestamptz, '2027-03-01 08:00Z'::timestamptz,
              '2027-03-01 09:00Z'::timestamptz)$$,
    'what it did is kept'
);
select isnt_empty(
    $$select from symphony.schedule_run where schedule_name = 'job'$$,
    'its history is kept'
);

select symphony.pause_schedule('job');
select is(
    symphony.create_schedule('job', 'Poll', 'cron', '{"expression": "0 12 * * *"}'),
    '2027-03-01 12:00Z', 'a paused schedule is replaced'
);
select is(enabled, false, 'it stays paused') from symphony.schedule;
select tap.set_clock('2027-03-01 12:00Z');
select is(symphony.tick_schedules(), 0, 'it does not run');

select throws_ok(
    $$select symphony.create_schedule('job', 'Poll', 'cron', '{"expression": "0 25 * * *"}')$$,
    '22023', null, 'a wrong expression is refused'
);
select is(schedule_config, '{"expression": "0 12 * * *"}', 'a refused expression changes nothing')
from symphony.schedule;

select * from finish();
rollback;
