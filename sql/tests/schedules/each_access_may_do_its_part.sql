-- grant_access: each access creates, steers, sees or fires schedules.  Nobody reads the tables.
begin;
select plan(29);

select tap.set_clock('2027-03-01 08:00Z');
select symphony.create_schedule('poll', 'Poll', 'cron', '{"expression": "0 9 * * *"}');
create role schedule_producer;
create role schedule_consumer;
create role schedule_operator;
create role schedule_observer;
grant usage on schema tap to public;
select symphony.grant_access('schedule_' || access, access)
from unnest('{producer,consumer,operator,observer}'::text[]) as access;

create function pg_temp.may(role_name text) returns text language sql as $$
    select string_agg(f::text, ' ' order by f::text)
    from unnest('{create_schedule,pause_schedule,resume_schedule,remove_schedule,run_schedule_now,
                  schedule_preview,schedule_status,schedule_runs,schedule_diff,sync_schedules,
                  clock_changes,tick_schedules,tick_for,install_pg_cron,uninstall_pg_cron}'::name[]) as f
    join pg_proc as p on p.proname = f and p.pronamespace = 'symphony'::regnamespace
    where has_function_privilege(role_name, p.oid, 'execute')
$$;

select is(
    pg_temp.may('schedule_producer'),
    'clock_changes create_schedule schedule_diff schedule_preview sync_schedules',
    'a producer may call what producers need'
);
select is(pg_temp.may('schedule_consumer'), 'tick_schedules', 'a consumer may call what consumers need');
select is(
    pg_temp.may('schedule_operator'),
    'clock_changes create_schedule install_pg_cron pause_schedule remove_schedule resume_schedule '
    'run_schedule_now schedule_diff schedule_preview schedule_runs schedule_status sync_schedules '
    'tick_for tick_schedules uninstall_pg_cron',
    'an operator may call what operators need'
);
select is(
    pg_temp.may('schedule_observer'),
    'clock_changes schedule_diff schedule_preview schedule_runs schedule_status',
    'an observer may call what observers need'
);

set local role schedule_operator;
select lives_ok($$select * from symphony.schedule_overview$$, 'an operator sees the schedules');
select lives_ok($$select * from symphony.schedule_history$$, 'an operator sees their runs');
select lives_ok(
    $$select symphony.create_schedule('a', 'Poll', 'once', '{"at": "2027-04-01 00:00"}')$$,
    'an operator creates'
);
select lives_ok($$select symphony.pause_schedule('a')$$, 'an operator pauses');
select lives_ok($$select symphony.resume_schedule('a')$$, 'an operator resumes');
select lives_ok($$select symphony.run_schedule_now('a')$$, 'an operator runs');
select lives_ok($$select * from symphony.schedule_preview('a')$$, 'an operator previews');
select lives_ok($$select symphony.tick_schedules()$$, 'an operator fires');
select lives_ok($$select symphony.remove_schedule('a')$$, 'an operator removes');
select throws_ok(
    $$select from symphony.schedule$$,
    '42501', null, 'an operator has no access to the table'
);
select throws_ok(
    $$select from symphony.schedule_run$$,
    '42501', null, 'an operator has no access to the table of the runs'
);

set local role schedule_observer;
select lives_ok($$select * from symphony.schedule_overview$$, 'an observer sees the schedules');
select isnt_empty($$select from symphony.schedule_status()$$, 'an observer sees them by the function, too');
select lives_ok($$select symphony.schedule_runs('poll')$$, 'an observer sees the runs of one');
select throws_ok(
    $$select symphony.sync_schedules('shop', '[]')$$,
    '42501', null, 'an observer does not synchronise'
);
select lives_ok($$select * from symphony.schedule_history$$, 'an observer sees all runs');
select throws_ok($$select symphony.pause_schedule('poll')$$, '42501', null, 'an observer does not steer');

set local role schedule_producer;
select lives_ok(
    $$select symphony.create_schedule('b', 'Poll', 'cron', '{"expression": "@daily"}')$$,
    'a producer creates'
);
select lives_ok($$select * from symphony.schedule_preview('b')$$, 'a producer previews');
select lives_ok(
    $$select symphony.sync_schedules('shop', '[{"schedule_name": "c", "message_type": "Poll",
        "schedule_type": "cron", "schedule_config": {"expression": "@daily"}}]')$$,
    'a producer synchronises what it declares'
);
select throws_ok(
    $$select * from symphony.schedule_overview$$,
    '42501', null, 'a producer does not see schedules'
);
select throws_ok(
    $$select symphony.remove_schedule('b')$$,
    '42501', null, 'a producer does not remove schedules'
);

set local role schedule_consumer;
select lives_ok($$select symphony.tick_schedules()$$, 'a consumer fires');
select throws_ok(
    $$select symphony.run_schedule_now('b')$$,
    '42501', null, 'a consumer runs no schedule by hand'
);
select throws_ok(
    $$select * from symphony.schedule_overview$$,
    '42501', null, 'a consumer does not see schedules'
);

reset role;
select * from finish();
rollback;
