-- transport_status, why_not_running: they say whether relays reach the broker.
select plan(15);

select symphony.create_transport('orders', 'rabbitmq', config => '{"destination": "shop.orders"}');
create temporary table sent as select symphony.enqueue('Pay', '{}', 'outbox/orders') as id;

create function pg_temp.state()
returns table (state text, relays bigint, consumers bigint, pending bigint, last_error text)
language sql
as $$ select state, relays, consumers, pending, last_error from symphony.transport_status() $$;

select results_eq('select * from pg_temp.state()',
                  $$values ('no relay', 0::bigint, 0::bigint, 1::bigint, null)$$,
                  'without a relay that is said');
select matches(symphony.why_not_running((select id from sent)),
               'No relay serves transport "orders"',
               'of a message, too');
select symphony.heartbeat('c', '{outbox/orders}', '{"transport": "orders"}');
select results_eq('select * from pg_temp.state()',
                  $$values ('no relay', 0::bigint, 1::bigint, 1::bigint, null)$$,
                  'a consumer is no relay');
create function pg_temp.wrong() returns text language sql as $$
    select string_agg(concat_ws(' ', h.code, h.subject, h.sentence, h.command), ', ')
    from symphony.health() as h where h.subject in ('orders', 'outbox/orders')
$$;
select tap.pass_time('40 s');
select symphony.heartbeat('c', '{outbox/orders}', '{"transport": "orders"}');
select is(pg_temp.wrong(),
          'no_worker outbox/orders No relay serves transport "orders". symphony-pg relay orders',
          'and what waits in the outbox has no other worker');
select symphony.heartbeat('s', '{outbox/orders}',
                          '{"relay": {"transport": "orders", "state": "connecting"}}');
select results_eq('select * from pg_temp.state()',
                  $$values ('connecting', 1::bigint, 1::bigint, 1::bigint, null)$$,
                  'a relay that has just started does not know');
select is(pg_temp.wrong(), null, 'which is not wrong');
select symphony.heartbeat('r', '{outbox/orders}', '{"relay": {"transport": "orders", "state": "down",
    "since": "2026-01-01 00:00:00+00", "error": "refused"}}');
select results_eq('select * from pg_temp.state()',
                  $$values ('down', 2::bigint, 1::bigint, 1::bigint, 'refused')$$,
                  'a broker that is down is, whoever else starts meanwhile');
select matches(symphony.why_not_running((select id from sent)),
               'has been down since 2026.*: refused',
               'with the time and the reason');
select symphony.heartbeat('r', '{outbox/orders}', '{"relay": {"transport": "orders", "state": "full",
    "since": "2026-01-01 00:00:00+00", "error": "maxlen"}}');
select matches(symphony.why_not_running((select id from sent)),
               'has taken no more since 2026.*: maxlen',
               'one that is full is');
select symphony.heartbeat('r', '{outbox/orders}', '{"relay": {"transport": "orders", "state": "up"}}');
select results_eq('select * from pg_temp.state()',
                  $$values ('up', 2::bigint, 1::bigint, 1::bigint, null)$$,
                  'one that is up is');
select is(pg_temp.wrong(), null, 'which is well');
select matches(symphony.why_not_running((select id from sent)),
               'Its turn comes after 0 others', 'and the turn comes');
select symphony.stop_worker('s'), symphony.stop_worker('r'), symphony.stop_worker('c');
select symphony.heartbeat('w', '{outbox/orders}', '{}');
select matches(symphony.why_not_running((select id from sent)),
               'Its turn comes after 0 others',
               'a worker may work off the outbox itself');
select symphony.ack(claim_id) from symphony.claim_batch('{outbox/orders}');
select matches(symphony.why_not_running((select id from sent)),
               'It was forwarded to the broker of transport "orders"',
               'what is forwarded is no longer here');
select symphony.remove_transport('orders');
select is((select status from symphony.message_status((select id from sent))), 'completed',
          'without the transport the outbox is a queue');
select * from finish();
