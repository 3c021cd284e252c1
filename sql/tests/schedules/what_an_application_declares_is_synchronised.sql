-- sync_schedules: a declared schedule is created, changed or left alone.  Others are not touched or removed.
begin;
select plan(33);

select tap.set_clock('2027-03-01 08:00Z');

-- There are two declarations.  The argument is merged into the first.
create function pg_temp.declared(more jsonb default '{}') returns jsonb language sql as $$
    select jsonb_build_array(
        '{"schedule_name": "poll", "message_type": "Poll", "schedule_type": "interval",
          "schedule_config": {"every": "1 hour"}, "body": {"a": null}}'::jsonb || more,
        '{"schedule_name": "report", "message_type": "Report", "schedule_type": "cron",
          "schedule_config": {"expression": "0 9 * * *"}, "timezone": "Europe/Paris",
          "priority": null}'::jsonb)
$$;
create function pg_temp.synced(more jsonb default '{}') returns text language sql as $$
    select string_agg(schedule_name || ' ' || outcome, ', ' order by schedule_name)
    from symphony.sync_schedules('shop', pg_temp.declared(more))
$$;
create function pg_temp.differs(more jsonb) returns jsonb language sql as $$
    select changes from symphony.schedule_diff('shop', pg_temp.declared(more)) where schedule_name = 'poll'
$$;

select results_eq(
    $$select schedule_name, outcome, changes, enabled, last_error, next_run_at
      from symphony.schedule_diff('shop', pg_temp.declared())$$,
    $$values ('poll', 'new', '{}'::jsonb, true, null::text, '2027-03-01 09:00Z'::timestamptz),
             ('report', 'new', '{}', true, null, '2027-03-02 08:00Z')$$,
    'schedule_diff() shows what would be created'
);
select is_empty($$select from symphony.schedule$$, 'schedule_diff() creates nothing');
select results_eq(
    $$select schedule_name, outcome, changes, enabled, last_error, next_run_at
      from symphony.sync_schedules('shop', pg_temp.declared())$$,
    $$values ('poll', 'created', '{}'::jsonb, true, null::text, '2027-03-01 09:00Z'::timestamptz),
             ('report', 'created', '{}', true, null, '2027-03-02 08:00Z')$$,
    'sync_schedules() creates it'
);
select results_eq(
    $$select schedule_name, managed_by, body, priority, catch_up, overlap, jitter
      from symphony.schedule order by 1$$,
    $$values ('poll', 'shop', '{"a": null}'::jsonb, null::integer, 'last', 'allow', '0'::interval),
             ('report', 'shop', '{}', null, 'last', 'allow', '0')$$,
    'it has the name of the application, and the defaults of create_schedule()'
);

create temporary table before as select * from symphony.schedule;
select tap.set_clock('2027-03-01 08:30Z');
select is(pg_temp.synced(), 'poll unchanged, report unchanged', 'the same declaration again is nothing new');
select results_eq(
    $$select * from symphony.schedule order by 1$$,
    $$select * from before order by 1$$,
    'the same declaration touches nothing'
);
set local timezone = 'Asia/Tokyo';
set local intervalstyle = 'iso_8601';
select is(
    pg_temp.synced('{"schedule_config": {"every": "PT60M"}}'),
    'poll unchanged, report unchanged', 'other words and another session are nothing new'
);
reset timezone;
reset intervalstyle;

-- Each setting that differs.
select is(pg_temp.differs(declared), changes, declared::text)
from (values
    ('{"message_type": "Scan"}'::jsonb, '{"message_type": ["Poll", "Scan"]}'::jsonb),
    ('{"body": {"a": 1}}', '{"body": [{"a": null}, {"a": 1}]}'),
    ('{"priority": 7}', '{"priority": [null, 7]}'),
    ('{"headers": {"b": 2}}', '{"headers": [{}, {"b": 2}]}'),
    ('{"schedule_config": {"every": "2 hours"}}',
     '{"schedule_config": [{"every": "1 hour"}, {"every": "2 hours"}]}'),
    ('{"schedule_type": "cron", "schedule_config": {"expression": "@daily"}}',
     '{"schedule_type": ["interval", "cron"],
       "schedule_config": [{"every": "1 hour"}, {"expression": "@daily"}]}'),
    ('{"timezone": "Europe/Paris"}', '{"timezone": ["UTC", "Europe/Paris"]}'),
    ('{"starts_at": "2027-04-01T02:00:00+02:00"}', '{"starts_at": [null, "2027-04-01T00:00:00+00:00"]}'),
    ('{"ends_at": "2027-04-01T00:00:00Z"}', '{"ends_at": [null, "2027-04-01T00:00:00+00:00"]}'),
    ('{"max_runs": 3}', '{"max_runs": [null, 3]}'),
    ('{"jitter": "30 seconds"}', '{"jitter": ["00:00:00", "00:00:30"]}'),
    ('{"catch_up": "all", "catch_up_limit": 5}', '{"catch_up": ["last", "all"], "catch_up_limit": [100, 5]}'),
    ('{"overlap": "skip"}', '{"overlap": ["allow", "skip"]}')
) as c (declared, changes);
select is(
    pg_temp.synced('{"schedule_config": {"every": "2 hours"}}'),
    'poll changed, report unchanged', 'the schedule is changed'
);
select is(next_run_at, '2027-03-01 10:00Z', 'it runs at its new times')
from symphony.schedule where schedule_name = 'poll';

-- A single run counts as the same moment in every zone, and does not come again.
create function pg_temp.launch_at(moment text) returns jsonb language sql as $$
    select jsonb_build_array(jsonb_build_object(
        'schedule_name', 'launch', 'message_type', 'A',
        'schedule_type', 'once', 'schedule_config', jsonb_build_object('at', moment)))
$$;
select is(outcome, 'created', 'a single run is created')
from symphony.sync_schedules('launcher', pg_temp.launch_at('2027-03-01 09:45+01'));
select tap.set_clock('2027-03-01 08:45Z');
select is(symphony.tick_schedules(), 1, 'it is fired');
select results_eq(
    $$select outcome, enabled, next_run_at
      from symphony.sync_schedules('launcher', pg_temp.launch_at('2027-03-01 08:45Z'))$$,
    $$values ('unchanged', true, null::timestamptz)$$,
    'it is over'
);

-- What an operator did.
select symphony.pause_schedule('poll');
select is(
    pg_temp.synced('{"schedule_config": {"every": "2 hours"}}'),
    'poll unchanged, report unchanged', 'a paused schedule is as declared'
);
select is(pg_temp.synced(), 'poll changed, report unchanged', 'a paused schedule can be changed');
select is(enabled, false, 'it stays paused') from symphony.schedule where schedule_name = 'poll';

-- What is declared no longer.
select results_eq(
    $$select schedule_name, outcome, enabled from symphony.sync_schedules('shop', pg_temp.declared() - 0)$$,
    $$values ('report', 'unchanged', true), ('poll', 'orphaned', false)$$,
    'what is declared no longer is reported'
);
select is(count(*), 3::bigint, 'what is declared no longer is not removed') from symphony.schedule;

-- What belongs to others.
select throws_ok(
    $$select symphony.sync_schedules('web', pg_temp.declared())$$,
    'SY007', null, 'a schedule of another application is refused'
);
update symphony.schedule set managed_by = null;
select throws_ok(
    $$select symphony.sync_schedules('shop', pg_temp.declared())$$,
    'SY007', null, 'a schedule that was made by hand is refused'
);
select results_eq(
    $$select schedule_name, outcome, changes
      from symphony.sync_schedules('shop', pg_temp.declared(), take_over => true)$$,
    $$values ('poll', 'changed', '{"managed_by": [null, "shop"]}'::jsonb),
             ('report', 'changed', '{"managed_by": [null, "shop"]}')$$,
    'a schedule that is taken over is not refused'
);

select * from finish();
rollback;
