-- schedule_diff: the keys of a declaration are the arguments of create_schedule(), with the same defaults.
begin;
select plan(8);

-- For each argument that may be left out, a value that is not its default.
create temporary table other (name text, value jsonb);
insert into other values
    ('body', '{"a": 1}'), ('queue_name', '"other"'), ('priority', '7'), ('headers', '{"b": 2}'),
    ('timezone', '"Europe/Paris"'), ('starts_at', '"2100-01-01 00:00+00"'),
    ('ends_at', '"2200-01-01 00:00+00"'), ('max_runs', '3'), ('jitter', '"5 s"'), ('catch_up', '"all"'),
    ('catch_up_limit', '9'), ('overlap', '"skip"'), ('expires_in', '"5 s"'),
    ('on_expiry', '"drop"');
create temporary table needed as
select '{"schedule_name": "s", "message_type": "A", "schedule_type": "cron",
         "schedule_config": {"expression": "0 9 * * *"}}'::jsonb as it;
create function pg_temp.changes(more jsonb) returns jsonb language sql as $$
    select changes - 'managed_by'
    from symphony.schedule_diff('shop', (select jsonb_build_array(it || more) from needed))
$$;

select symphony.create_queue('other');
select bag_eq(
    $$select name from other union all select jsonb_object_keys(it) from needed$$,
    $$select unnest(proargnames) from pg_proc where oid = 'symphony.create_schedule'::regproc$$,
    'each argument is in this test'
);
select symphony.create_schedule('s', 'A', 'cron', '{"expression": "0 9 * * *"}');
select is(pg_temp.changes('{}'), '{}', 'what is left out has the same default, declared or made by hand');
select set_eq(
    $$select name, pg_temp.changes(jsonb_build_object(name, value)) ? name from other$$,
    $$select name, true from other$$,
    'each of them may be declared, and a change of it is seen'
);
select throws_ok(
    format('select symphony.schedule_diff(''shop'', %L)', jsonb_build_array(it - key)), '22023', null,
    key || ' has no default, and must be declared'
)
from needed, jsonb_object_keys(it) as key;
select throws_ok(
    $$select pg_temp.changes('{"enabled": true}')$$, '22023', null,
    'a column of the schedule that is no argument may not be declared'
);

select * from finish();
rollback;
