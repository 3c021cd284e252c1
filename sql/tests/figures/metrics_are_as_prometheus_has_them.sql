-- metrics: one query tells all, by names and labels as Prometheus has them.
select plan(15);

select symphony.create_queue('mail');
select symphony.create_transport('sms', queue_name => 'mail');
select symphony.create_schedule('report', 'A', 'once', '{"at": "2030-01-01 00:00Z"}', '{}');
select symphony.create_schedule('paused', 'A', 'once', '{"at": "2030-01-01 00:00Z"}', '{}');
select symphony.pause_schedule('paused');
select symphony.enqueue('A', '{}') from generate_series(1, 3);
select symphony.enqueue('A', '{}', delay => '1 hour');
select symphony.heartbeat('w', '{default,mail}');

select is_empty(
    $$select metric from symphony.metrics() where metric !~ '^symphony_[a-z_]+$'$$, 'names of our own'
);
select is_empty(
    $$select m.metric from symphony.metrics() as m cross join lateral jsonb_each(m.labels) as l
      where l.key !~ '^[a-z_]+$' or jsonb_typeof(l.value) <> 'string'$$,
    'labels are text'
);
select is_empty(
    'select metric, labels from symphony.metrics() group by 1, 2 having count(*) > 1',
    'each value is told once'
);
select is_empty('select * from symphony.metrics() where value is null', 'each has a value');
select results_eq(
    $$select labels ->> 'state', value from symphony.metrics()
      where metric = 'symphony_queue_messages' and labels ->> 'queue' = 'default' order by 1$$,
    $$values ('delayed', 1::float8), ('failed', 0), ('pending', 3), ('processing', 0)$$,
    'messages by state'
);
select results_eq(
    $$select labels, value from symphony.metrics() where metric ~ 'schedule'$$,
    $$values ('{"schedule": "report"}'::jsonb,
              extract(epoch from '2030-01-01 00:00Z'::timestamptz)::float8)$$,
    'a schedule that is on says when it runs next'
);
select results_eq(
    $$select labels ->> 'severity', value from symphony.metrics()
      where metric = 'symphony_incidents' order by 1$$,
    $$select s.severity, count(h.code)::float8
      from unnest('{critical,note,warning}'::text[]) as s (severity)
      left join symphony.health() as h using (severity) group by 1 order by 1$$,
    'what is wrong, by severity'
);
select is_empty($$select * from symphony.metrics() where metric ~ 'last_tick'$$, 'nothing has ever ticked');
select symphony.disable_transport('sms');
select symphony.pause_queue('mail');
select symphony.tick();
select results_eq(
    $$select metric, labels, value from symphony.metrics()
      where metric in ('symphony_transport_disabled', 'symphony_workers')
         or (metric = 'symphony_queue_paused' and labels ->> 'queue' = 'mail') order by 1, 2$$,
    $$values ('symphony_queue_paused', '{"queue": "mail"}'::jsonb, 1::float8),
             ('symphony_transport_disabled', '{"transport": "sms"}', 1),
             ('symphony_workers', '{"queue": "default", "state": "idle"}', 1),
             ('symphony_workers', '{"queue": "mail", "state": "idle"}', 1)$$,
    'what is switched off, and who works'
);
select cmp_ok(
    (select value from symphony.metrics() where metric = 'symphony_last_tick_timestamp_seconds'),
    '>', extract(epoch from now())::float8 - 10, 'when it ticked last'
);

-- Counters, and a histogram whose buckets are cumulative.
create temporary table mine as select * from symphony.claim_batch('{default}', 3);
select symphony.ack(claim_id, array[message_id]) from mine order by message_id limit 1;
select results_eq(
    $$select metric, value from symphony.metrics()
      where labels ->> 'queue' = 'default' and metric ~ '_total$' order by 1$$,
    $$values ('symphony_queue_claimed_total', 3::float8), ('symphony_queue_completed_total', 1),
             ('symphony_queue_enqueued_total', 3), ('symphony_queue_failed_total', 0),
             ('symphony_queue_retried_total', 0), ('symphony_queue_returned_total', 0)$$,
    'what was counted'
);
select results_eq(
    $$select count(*), min(value), max(value), array_agg(labels ->> 'le') @> '{0.001,1.024,1048.576,+Inf}'
      from symphony.metrics()
      where metric = 'symphony_queue_wait_seconds_bucket' and labels ->> 'queue' = 'default'$$,
    $$values (22::bigint, 0::float8, 3::float8, true)$$,
    'the bounds double from 1 ms to 17 minutes'
);
select results_eq(
    $$select value from symphony.metrics()
      where metric = 'symphony_queue_wait_seconds_count' and labels ->> 'queue' = 'default'$$,
    $$values (3::float8)$$,
    'all of them'
);

-- A transport that leads to a broker.
select symphony.create_transport('orders', 'rabbitmq');
select symphony.set_routes('Pay', '["orders"]');
select symphony.enqueue('Pay') from generate_series(1, 4);
select symphony.heartbeat('r', '{outbox/orders}', '{"relay": {"transport": "orders", "state": "down"}}');
select symphony.heartbeat('c', '{outbox/orders}', '{"transport": "orders"}');
create temporary table held as select * from symphony.claim_batch('{outbox/orders}', 3);
select symphony.ack(claim_id, array[message_id]) from held order by message_id limit 2;
select results_eq(
    $$select metric, value from symphony.metrics()
      where metric ~ '_transport_' and labels = '{"transport": "orders"}'
      order by 1$$,
    $$values ('symphony_transport_consumers', 1::float8), ('symphony_transport_disabled', 0),
             ('symphony_transport_forwarded_total', 2), ('symphony_transport_pending_messages', 2),
             ('symphony_transport_relays', 1), ('symphony_transport_up', 0)$$,
    'how a broker is, what waits for it, and what it got'
);
select symphony.heartbeat('r', '{outbox/orders}', '{"relay": {"transport": "orders", "state": "up"}}');
select is((select value from symphony.metrics() where metric = 'symphony_transport_up'), 1::float8,
          'it is up as soon as a relay reaches it');

select * from finish();
