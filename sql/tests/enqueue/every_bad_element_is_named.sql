-- enqueue_batch: whatever is wrong with an element, the error is SY005, names it, and nothing is enqueued.
select plan(24);

create function pg_temp.error(variadic elements jsonb[]) returns text language sql as $$
    select coalesce(code || ' ' || split_part(detail, ':', 1), 'none')
    from tap.error_of(format('select symphony.enqueue_batch(%L)', to_jsonb(elements)))
$$;

create temporary table bad (element jsonb);
insert into bad values
    ('null'), ('7'), ('"A"'), ('[]'), ('[{"message_type": "A"}]'), ('{}'),
    ('{"message_type": null}'),
    ('{"message_type": ""}'),
    ('{"message_type": "A", "body": null}'),
    ('{"message_type": "A", "headers": []}'),
    ('{"message_type": "A", "priority": 10}'),
    ('{"message_type": "A", "priority": 5.5}'),
    ('{"message_type": "A", "priority": 99999999999}'),
    ('{"message_type": "A", "delay": "soon"}'),
    ('{"message_type": "A", "delay": "-1000000 years"}'),
    ('{"message_type": "A", "available_at": "infinity"}'),
    ('{"message_type": "A", "delay": "1 s", "available_at": "2100-01-01"}'),
    ('{"message_type": "A", "queue_name": ""}'),
    ('{"message_type": "A", "Message_type": "B"}');
insert into bad select jsonb_build_object('message_type', repeat('x', 201));
select is(
    array[
        pg_temp.error('{"message_type": "A"}', element, '{"message_type": "A"}'),
        pg_temp.error('{"message_type": "A", "idempotency_key": "k"}', element)
    ],
    '{SY005 Element 2,SY005 Element 2}', left(element::text, 60)
)
from bad;
select is_empty(
    $$select from symphony.message
      union all select from symphony.delayed_message
      union all select from symphony.idempotency_key$$,
    'nothing is kept, not even a key'
);

-- Null is the default, as in enqueue().
create temporary table nulls as
select symphony.enqueue_batch('[{
    "message_type": "A", "queue_name": null, "priority": null, "delay": null, "available_at": null,
    "idempotency_key": null, "group_key": null, "headers": null
}]') as id;
select results_eq(
    $$select status, queue_name, priority, headers from nulls, symphony.message_status(id)$$,
    $$values ('pending', 'default', 5, '{}'::jsonb)$$,
    'what is null has its default'
);
select results_eq(
    $$select count(*), min(id) = max(id) - 9999
      from symphony.enqueue_batch((
          select jsonb_agg(jsonb_build_object('message_type', 'M', 'body', i, 'priority', i % 10))
          from generate_series(1, 10000) as i
      )) as id$$,
    $$values (10000::bigint, true)$$,
    'ten thousand are enqueued at once'
);
create temporary table claimed as select * from symphony.claim_batch();
do $$
begin
    for i in 1 .. 30 loop
        insert into claimed select * from symphony.claim_batch(batch_size => 1000);
    end loop;
end $$;
select results_eq(
    $$select count(*), count(distinct message_id), bool_and(priority = (body #>> '{}')::integer % 10)
      from claimed where message_type = 'M'$$,
    $$values (10000::bigint, 10000::bigint, true)$$,
    'each is handed out once, with its own priority'
);
select * from finish();
