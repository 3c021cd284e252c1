-- grant_access: who may create, steer, see and fire schedules; nobody reads the tables.
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
    'a producer'
);
select is(pg_temp.may('schedule_consumer'), 'tick_schedules', 'a consumer');
select is(
    pg_temp.may('schedule_operator'),
    'clock_changes create_schedule install_pg_cron pause_schedule remove_schedule resume_schedule '
    'run_schedule_now schedule_diff schedule_preview schedule_runs schedule_status sync_schedules '
    'tick_for tick_schedules uninstall_pg_cron',
    'an operator'
);
select is(pg_temp.may('schedule_observer'),
    'clock_changes schedule_diff schedule_preview schedule_runs schedule_status', 'an observer');

set local role schedule_operator;
select lives_ok($$select * from symphony.schedule_overview$$, 'an operator sees the schedules');
select lives_ok($$select * from symphony.schedule_history$$, 'and their runs');
select lives_ok(
    $$select symphony.create_schedule('a', 'Poll', 'once', '{"at": "2027-04-01 00:00"}')$$,
    'creates');
select lives_ok($$select symphony.pause_schedule('a')$$, 'pauses');
select lives_ok($$select symphony.resume_schedule('a')$$, 'resumes');
select lives_ok($$select symphony.run_schedule_now('a')$$, 'runs');
select lives_ok($$select * from symphony.schedule_preview('a')$$, 'previews');
select lives_ok($$select symphony.tick_schedules()$$, 'fires');
select lives_ok($$select symphony.remove_schedule('a')$$, 'and removes');
select throws_ok($$select from symphony.schedule$$, '42501', null,
    'but has no access to the table');
select throws_ok($$select from symphony.schedule_run$$, '42501', null, 'nor to that of the runs');

set local role schedule_observer;
select lives_ok($$select * from symphony.schedule_overview$$, 'an observer sees the schedules');
select isnt_empty($$select from symphony.schedule_status()$$, 'by the function, too');
select lives_ok($$select symphony.schedule_runs('poll')$$, 'and the runs of one');
select throws_ok($$select symphony.sync_schedules('shop', '[]')$$, '42501', null,
    'but synchronises nothing');
select lives_ok($$select * from symphony.schedule_history$$, 'and their runs');
select throws_ok($$select symphony.pause_schedule('poll')$$, '42501', null, 'and steers nothing');

set local role schedule_producer;
select lives_ok(
    $$select symphony.create_schedule('b', 'Poll', 'cron', '{"expression": "@daily"}')$$,
    'a producer creates');
select lives_ok($$select * from symphony.schedule_preview('b')$$, 'and previews');
select lives_ok(
    $$select symphony.sync_schedules('shop', '[{"schedule_name": "c", "message_type": "Poll",
        "schedule_type": "cron", "schedule_config": {"expression": "@daily"}}]')$$,
    'synchronises what it declares');
select throws_ok($$select * from symphony.schedule_overview$$, '42501', null, 'sees none');
select throws_ok($$select symphony.remove_schedule('b')$$, '42501', null, 'and removes none');

set local role schedule_consumer;
select lives_ok($$select symphony.tick_schedules()$$, 'a consumer fires');
select throws_ok($$select symphony.run_schedule_now('b')$$, '42501', null,
    'what is due, nothing else');
select throws_ok($$select * from symphony.schedule_overview$$, '42501', null, 'and sees none');

reset role;
select * from finish();
rollback;
