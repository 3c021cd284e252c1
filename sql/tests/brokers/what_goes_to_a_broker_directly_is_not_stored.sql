-- "outbox": false: whoever dispatches publishes what is ready; what needs a memory is stored as ever.
select plan(22);

select symphony.create_queue('default');
select symphony.create_transport('plain');
select symphony.create_transport('fast', 'rabbitmq', priority => 7, config => '{"outbox": false}');
select symphony.set_routes('Pay', '["fast"]'), symphony.set_routes('Both', '["fast", "plain"]');

select results_eq(
    $$select transport_name, queue_name, priority, direct, max_attempts from symphony.route_of('Both')$$,
    $$values ('fast', 'outbox/fast', 7, true, 4), ('plain', 'default', 5, false, 4)$$,
    'a route says what is published directly'
);
select results_eq(
    $$select transport_name, queue_name, direct from symphony.route_of('Other', 'fast')$$,
    $$values ('fast', 'outbox/fast', true)$$, 'also if a message is given the transport'
);
select throws_ok($$select symphony.route_of('Pay', 'nope')$$, 'SY020', null, 'which there must be');

select throws_ok($$select symphony.enqueue('Pay')$$, 'SY022', null, 'SQL cannot publish');
select throws_ok($$select symphony.enqueue('Both')$$, 'SY022', null,
                 'and makes no part of the deliveries, or the other part would be lost in silence');
select throws_ok($$select symphony.enqueue('Pay', priority => 3, group_key => 'k', headers => '{"a": 1}')$$,
                 'SY022', null, 'a message with what a broker carries is sent directly, too');
select throws_ok($$select symphony.enqueue_batch('[{"message_type": "Other"}, {"message_type": "Pay"}]')$$,
                 'SY005', null, 'nor in a batch');
select matches((select detail from tap.error_of($$select symphony.enqueue_batch(
                    '[{"message_type": "Other"}, {"message_type": "Pay"}]')$$)),
               '^Element 2: .*directly', 'which says which element it was');
select matches((select hint from tap.error_of($$select symphony.enqueue('Pay')$$)), 'outbox/fast',
               'and what to do');
select throws_ok($$select symphony.enqueue('Pay', priority => 10)$$, 'SY022', null,
                 'whatever else is wrong');
select is((select count(*) from symphony.message), 0::bigint, 'nothing is stored');

select lives_ok($$select symphony.enqueue('Pay', queue_name => 'outbox/fast')$$, 'the outbox can be named');
select lives_ok($$select symphony.enqueue('Pay', delay => '0')$$, 'a delay is stored, be it none');
select lives_ok($$select symphony.enqueue('Pay', idempotency_key => 'k')$$, 'so is what has a key');
select lives_ok($$select symphony.enqueue('Pay', expires_in => '1 minute')$$, 'what expires');
select lives_ok($$select symphony.enqueue('Both', retry => '{"max_attempts": 1}')$$,
                'and what has a retry policy of its own, for all of its deliveries');
select lives_ok($$select symphony.enqueue_batch('[{"message_type": "Pay", "delay": "0"},
                                                  {"message_type": "Pay", "expires_in": "1 minute"},
                                                  {"message_type": "Pay", "idempotency_key": "l"}]')$$,
                'a batch is the same');
select symphony.create_schedule('hourly', 'Pay', 'interval', '{"every": "1 hour"}');
select lives_ok($$select symphony.run_schedule_now('hourly')$$, 'a schedule, too, goes through the database');
select is((select count(*) from symphony.pending_message where queue_name = 'outbox/fast'), 9::bigint,
          'all of it is in the outbox');

select symphony.disable_transport('fast');
select is((select direct from symphony.route_of('Pay')), false,
          'what is disabled takes messages and holds them');
select lives_ok($$select symphony.enqueue('Pay')$$, 'from SQL as well');
select is((select count(distinct id) from symphony.reserve_message_ids(3) as id), 3::bigint,
          'what is published has an id of its own');
select * from finish();
