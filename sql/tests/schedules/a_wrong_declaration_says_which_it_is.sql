-- sync_schedules: an application declares many schedules, so the error names the wrong one.  None is changed.
begin;
select plan(22);

select tap.set_clock('2027-03-01 08:00Z');

create function pg_temp.declared(schedule_name text) returns jsonb language sql as $$
    select jsonb_build_object(
        'schedule_name', schedule_name, 'message_type', 'Poll',
        'schedule_type', 'cron', 'schedule_config', '{"expression": "@daily"}'::jsonb)
$$;

-- The state of the error, if it names the schedule and has a detail and a hint.
create function pg_temp.refusal(wrong jsonb) returns text language sql as $$
    select case when code is null then 'no error'
                when detail = '' or hint = '' then 'no detail or hint'
                when position('schedule "wrong"' in message) = 0 then message
                else code end
    from tap.error_of(format('select symphony.sync_schedules(%L, %L)', 'shop', jsonb_build_array(
        pg_temp.declared('a'), pg_temp.declared('wrong') || wrong)))
$$;

select is(pg_temp.refusal(wrong), state, wrong::text)
from (values
    ('{"every": "1 hour"}'::jsonb, '22023'),
    ('{"schedule_type": "weekly"}', '22023'),
    ('{"schedule_type": null}', '22023'),
    ('{"message_type": null}', '22023'),
    ('{"message_type": ""}', '22023'),
    ('{"schedule_config": null}', '22023'),
    ('{"schedule_config": {"expression": "61 * * * *"}}', '22023'),
    ('{"schedule_config": {"expression": "0 0 30 2 *"}}', '22023'),
    ('{"schedule_type": "interval"}', '22023'),
    ('{"schedule_type": "once", "schedule_config": {"at": "soon"}}', '22023'),
    ('{"timezone": "Mars/Utopia"}', '22023'),
    ('{"queue_name": "nowhere"}', 'SY001'),
    ('{"priority": 10}', '22023'),
    ('{"priority": "high"}', '22023'),
    ('{"headers": []}', '22023'),
    ('{"starts_at": "soon"}', '22023'),
    ('{"starts_at": "2027-04-02", "ends_at": "2027-04-01"}', '22023'),
    ('{"max_runs": 0}', '22023'),
    ('{"jitter": "25 hours"}', '22023'),
    ('{"catch_up": "some"}', '22023')
) as c (wrong, state);

select throws_ok(
    $$select symphony.sync_schedules('shop',
          jsonb_build_array(pg_temp.declared('a'), pg_temp.declared('a')))$$,
    '22023', null, 'a name that is declared twice is refused'
);
select is_empty($$select from symphony.schedule$$, 'nothing that was refused was created');

select * from finish();
rollback;
