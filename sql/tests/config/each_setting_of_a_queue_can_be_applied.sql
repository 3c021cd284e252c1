-- apply_config: what create_queue() can set of a queue, a configuration can set too.
begin;
select plan(4);

create temporary table setting as
select name, case format_type(kind, null)
                 when 'interval' then '"2 days"' when 'integer' then '7' else '1' end::jsonb as value
from pg_proc as p,
     unnest(p.proargnames, p.proargtypes::oid[]) as argument (name, kind)
where p.oid = 'symphony.create_queue'::regproc and name <> 'queue_name'
  and name not in ('lease', 'ordered', 'key_concurrency', 'on_failure', 'rate',
                   'key_rate');
insert into setting values
    ('lease', '"1 minute"'), ('ordered', 'true'), ('key_concurrency', '1'), ('on_failure', '"hold"'),
    ('rate', '"7/1 s"'), ('key_rate', '"7/0.5 s"');

select bag_eq(
    $$select name from setting$$,
    $$select attname::text from pg_attribute
      where attrelid = 'symphony.queue'::regclass and attnum > 0
        and attname not in ('queue_name', 'paused_at', 'paused_by', 'created_at')$$,
    'create_queue() has an argument for each setting'
);
select lives_ok(
    $$select symphony.apply_config(jsonb_build_object('queues', jsonb_build_object(
          'all', (select jsonb_object_agg(name, value) from setting))))$$,
    'a configuration may name all of them'
);
select is_empty(
    $$select setting.name, setting.value, q.value
      from setting
      left join (select * from symphony.queue, jsonb_each(to_jsonb(queue)) where queue_name = 'all') as q
          on q.key = setting.name
      where q.value #>> '{}' is null
         or case when jsonb_typeof(setting.value) = 'string'
                      and setting.name not in ('on_failure', 'rate', 'key_rate')
                 then (q.value #>> '{}')::interval <> (setting.value #>> '{}')::interval
                 else q.value <> setting.value end$$,
    'and each of them is set'
);
select throws_ok(
    $$select symphony.apply_config('{"queues": {"all": {"max_snoze": "1 day"}}}')$$,
    '22023', null,
    'what is not a setting is refused'
);

select * from finish();
rollback;
