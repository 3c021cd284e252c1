-- enqueue_batch: all messages of a batch are enqueued, in order, or none is.  The error names the element.
select plan(23);

select symphony.create_queue('mail');
select results_eq(
    $$select symphony.enqueue_batch('[
          {"message_type": "A"},
          {"message_type": "B", "body": [1], "priority": 9},
          {"message_type": "C", "delay": "1 hour"},
          {"message_type": "D", "queue_name": "mail", "headers": {"h": 1}}
      ]')$$,
    $$values (1::bigint), (2), (3), (4)$$,
    'ids come in the order of the array'
);
select results_eq(
    $$select message_id, status, queue_name, priority, body
      from generate_series(1, 4) i, symphony.message_status(i)$$,
    $$values (1::bigint, 'pending', 'default', 5, '{}'::jsonb), (2, 'pending', 'default', 9, '[1]'),
             (3, 'delayed', 'default', 5, '{}'), (4, 'pending', 'mail', 5, '{}')$$,
    'each message has its own queue, priority and delay'
);
select is((select message_id from symphony.claim_batch()), 2::bigint, 'priority 9 goes first');
select is_empty($$select symphony.enqueue_batch('[]')$$, 'an empty batch is not an error');
select results_eq(
    $$select count(*), count(distinct id)
      from symphony.enqueue_batch('[
          {"message_type": "A", "idempotency_key": "k"},
          {"message_type": "B", "idempotency_key": "k"}
      ]') as id$$,
    $$values (2::bigint, 1::bigint)$$,
    'an element with the key of another stands for the same message'
);

create temporary table refused (batch jsonb, why text);
insert into refused values
    ('[{"message_type": "A"}, {"body": {}}]', 'without a type'),
    ('[{"message_type": "A"}, 7]', 'that is not an object'),
    ('[{"message_type": "A"}, ["message_type"]]', 'that is a list'),
    ('[{"message_type": "A"}, {"message_type": "B", "prio": 1}]', 'with an unknown key'),
    ('[{"message_type": "A"}, {"message_type": "B", "priority": "high"}]', 'with a value of the wrong kind'),
    ('[{"message_type": "A"}, {"message_type": "B", "queue_name": "nope"}]', 'with an unknown queue'),
    ('[{"message_type": "A"}, {"message_type": "B", "body": null}]', 'with a null body'),
    ('[{"message_type": "A"}, {"message_type": "B", "delay": "-1 s"}]', 'with a negative delay'),
    ('[{"message_type": "A", "idempotency_key": "x"}, {"message_type": "B", "idempotency_key": ""}]',
     'with an empty key');
select throws_ok(format('select symphony.enqueue_batch(%L)', batch), 'SY005', null, 'an element ' || why)
from refused;
select throws_ok($$select symphony.enqueue_batch(null)$$, 'SY005', null, 'a batch that is null is refused');
select throws_ok(
    $$select symphony.enqueue_batch('{}')$$,
    'SY005', null, 'a batch that is not an array is refused'
);
select alike(detail, 'Element 2:%', 'the detail names the element')
from tap.error_of($$select symphony.enqueue_batch(
    '[{"message_type": "A"}, {"message_type": "B", "queue_name": "nope"}]')$$);
select is(
    (select count(*) from symphony.pending_message where message_type = 'A'),
    2::bigint, 'nothing of a refused batch is kept'
);

select lives_ok(
    $$select symphony.enqueue_batch('[{
          "message_type": "Z", "queue_name": null, "priority": null, "delay": null, "available_at": null,
          "idempotency_key": null, "group_key": null, "headers": null, "retry": null
      }]')$$,
    'a key may be null'
);
select results_eq(
    $$select priority::integer, queue_name, headers, retry
      from symphony.message join symphony.lane using (lane_id) where message_type = 'Z'$$,
    $$values (5, 'default', '{}'::jsonb, null::jsonb)$$,
    'a null key counts as left out'
);
select symphony.create_queue('7');
select is(
    (select count(*)
     from symphony.enqueue_batch('[
         {"message_type": "N", "queue_name": 7},
         {"message_type": "N", "queue_name": "7"}
     ]')),
    2::bigint, 'a name may be written as a number'
);
select is(
    (select count(*) from symphony.pending_message where message_type = 'N' and queue_name = '7'),
    2::bigint, 'the number is the same name as the text'
);
select count(*)
from symphony.enqueue_batch((
    select jsonb_agg(jsonb_build_object('message_type', 'O', 'priority', i % 3))
    from generate_series(1, 1000) as i
));
select is_empty(
    $$select from (
          select ctid, lag(ctid) over (order by message_id) as before
          from symphony.message where message_type = 'O'
      ) as stored
      where ctid < before$$,
    'the log is written in the order of the ids'
);
select * from finish();
