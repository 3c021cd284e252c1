-- create_transport, enqueue, schedules, apply_config: a broker is a transport like any other.
select plan(17);

select ok(symphony.create_transport('orders', 'rabbitmq', priority => 7,
              config => '{"destination": "shop.orders", "prefetch": 20}'), 'it is created');
select ok(not symphony.create_transport('orders', 'rabbitmq', priority => 7), 'or changed');
select ok(symphony.create_transport('mail', 'rabbitmq', 'mail'), 'its outbox may have another name');
select throws_ok($$select symphony.create_transport('other', 'rabbitmq', 'mail')$$, '55000', null,
                 'but is that of one broker only');
select throws_ok($$select symphony.create_transport('t', 'rabbitmq', config => '{"dsn": "amqp://u:p@h"}')$$,
                 '22023', null, 'no DSN gets into the database');
select throws_ok(
    $$select symphony.create_transport('t', 'rabbitmq', config => '{"destination": "amqp://h/q"}')$$,
                 '22023', null, 'by no way');
select throws_ok($$select symphony.create_transport('t', 'rabbitmq', config => '{"prefetch": 0}')$$,
                 '22023', null, 'a number has a range');
select ok(symphony.create_transport('cloud', 'sqs',
              config => '{"destination": "a.fifo", "visibility": 43200, "prefetch": 20, "declare": false}'),
          'a queue of SQS has a visibility');
select throws_ok($$select symphony.create_transport('t', 'sqs', config => '{"visibility": 1.5}')$$,
                 '22023', null, 'in whole seconds');
select throws_ok($$select symphony.create_transport('t', 'rabbitmq', config => '{"inbox": 1}')$$,
                 '22023', null, 'and a flag is one');
select throws_ok($$select symphony.create_transport('t', 'redis', config => '{"format": "xml"}')$$,
                 '22023', null, 'a format is one of two');
select throws_ok($$select symphony.create_transport('t', 'rabbitmq', config => '{"inbox_retention": "x"}')$$,
                 '22023', null, 'a time is one');

select symphony.create_queue('default');
select symphony.create_transport('here', 'sync'), symphony.create_transport('plain');
select symphony.set_routes('Pay', '["orders", "plain", "here"]');
select symphony.enqueue('Pay', '{}');
select set_eq(
    $$select queue_name, priority from symphony.pending_message$$,
    $$values ('outbox/orders', 7::smallint), ('default', 5)$$, 'a message goes to brokers and queues alike'
);
select symphony.disable_transport('orders');
select is_empty($$select from symphony.claim_batch('{outbox/orders}')$$, 'a disabled one forwards nothing');
select symphony.enable_transport('orders');
select is((select count(*) from symphony.claim_batch('{outbox/orders}')), 1::bigint, 'until it is enabled');

select symphony.apply_config('{"transports": {"orders": {"type": "rabbitmq", "config": {"ordered": true}},
                                              "plain": {}, "here": {"type": "sync"}}}');
select results_eq(
    $$select transport_name, config from symphony.list_transports() where transport_type = 'rabbitmq'$$,
    $$values ('orders', '{"ordered": true}'::jsonb)$$, 'a configuration has them, too'
);
select ok((select ordered from symphony.queue where queue_name = 'outbox/orders'),
          'and an ordered transport has an ordered outbox');
select * from finish();
