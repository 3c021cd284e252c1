-- enqueue: several routes or handlers make several messages, each with its own attempts.
-- One correlation id binds them.
select plan(25);

select symphony.create_queue('mail'), symphony.create_queue('audit');
select symphony.create_transport('email', queue_name => 'mail', priority => 7),
       symphony.create_transport('log', queue_name => 'audit');
select symphony.set_routes('SendEmail', '["email", "log"]');

create temporary view placed as
select m.message_id as id, lane.queue_name, lane.priority, m.headers ->> 'handler' as handler,
       m.headers ->> 'correlation_id' as correlation
from (select message_id, lane_id, headers from symphony.message union all
      select message_id, lane_id, headers from symphony.delayed_message) as m
join symphony.lane using (lane_id);
create temporary table sent (n integer, id bigint);

insert into sent
select 1, symphony.enqueue('SendEmail', '{"to": "ada"}', headers => '{"tenant": "acme"}', group_key => 'g');
select results_eq(
    $$select id - (select id from sent), queue_name, priority::int,
             correlation::bigint = (select id from sent)
      from placed order by id$$,
    $$values (0::bigint, 'mail', 7, true), (1, 'audit', 5, true)$$,
    'each transport gets a delivery, with the id of the first as correlation id'
);
select is(count(*), 2::bigint, 'deliveries have the same body, other headers and group')
from symphony.message where body = '{"to": "ada"}' and headers ->> 'tenant' = 'acme' and group_key = 'g';
select is((select id from sent), (select min(id) from placed), 'the id of the first is returned');

truncate sent; delete from symphony.message;
insert into sent
select 1, symphony.enqueue('SendEmail', headers => '{"correlation_id": "mine"}',
                           priority => 3, delay => '1 hour');
select results_eq(
    $$select distinct queue_name, priority::int, correlation from placed$$,
    $$values ('audit', 3, 'mine'), ('mail', 3, 'mine')$$,
    'a correlation id, a priority and a delay of the caller are kept'
);
select is((select count(*) from symphony.delayed_message), 2::bigint, 'both deliveries are delayed');
delete from symphony.delayed_message;

-- The idempotency key stands for all of them.
insert into sent select 2, symphony.enqueue('SendEmail', idempotency_key => 'k');
insert into sent select 3, symphony.enqueue('SendEmail', idempotency_key => 'k');
insert into sent
select 4, id
from symphony.enqueue_batch('[{"message_type": "SendEmail", "idempotency_key": "k"}]') as id;
select is((select count(*) from placed), 2::bigint, 'a duplicate makes no delivery at all');
select is((select count(distinct id) from sent where n > 1), 1::bigint, 'a duplicate returns the first id');
select is(
    (select min(id) from sent where n > 1),
    (select min(id) from placed), 'the first id is that of a message'
);
delete from symphony.message;

-- In a batch.
truncate sent;
insert into sent
select row_number() over (), id
from symphony.enqueue_batch('[
    {"message_type": "SendEmail"},
    {"message_type": "Other"},
    {"message_type": "SendEmail", "queue_name": "mail"}
]') as id;
select results_eq(
    $$select n, queue_name, correlation from sent join placed using (id) order by n$$,
    $$values (1, 'mail', (select min(id)::text from sent)), (2, 'default', null), (3, 'mail', null)$$,
    'a batch returns the first id of each element'
);
select is((select count(*) from placed), 4::bigint, 'a batch makes a delivery for each transport');
delete from symphony.message;

-- Handlers.
select results_eq(
    $$select symphony.sync_handlers('SendEmail', '{send,audit,send}')$$,
    $$values ('send'), ('audit')$$,
    'handlers are declared in order'
);
select is_empty(
    $$select symphony.sync_handlers('SendEmail', '{audit}')$$,
    'handlers that are known are not news'
);
select is((select count(*) from symphony.handler), 2::bigint, 'other handlers stay');
select symphony.enqueue('SendEmail');
select results_eq(
    $$select queue_name, handler from placed order by id$$,
    $$values ('mail', 'send'), ('mail', 'audit'), ('audit', 'send'), ('audit', 'audit')$$,
    'each handler gets a delivery from each transport'
);
delete from symphony.message;
select symphony.set_routes('SendEmail', '["email", {"transport": "log", "handler": "audit"}]');
select symphony.enqueue('SendEmail');
select results_eq(
    $$select queue_name, handler from placed order by id$$,
    $$values ('mail', 'send'), ('audit', 'audit')$$,
    'a handler that a route names gets it there and nowhere else'
);
select results_eq(
    $$select delivery, transport_name, handler_name from symphony.route_of('SendEmail')$$,
    $$values (1::bigint, 'email', 'send'), (2, 'log', 'audit')$$,
    'route_of shows the deliveries'
);
delete from symphony.message;
select symphony.set_routes('SendEmail', '[]');
select symphony.enqueue('SendEmail');
select results_eq(
    $$select queue_name, handler from placed order by id$$,
    $$values ('default', 'send'), ('default', 'audit')$$,
    'handlers without a route get theirs from the default queue'
);

-- Each has its own attempts.
create temporary table claimed as select * from symphony.claim_batch('{default}', 10);
select is((select count(*) from claimed), 2::bigint, 'both deliveries are handed out');
select lives_ok(
    $$select symphony.ack(claim_id, array[message_id]) from claimed where headers ->> 'handler' = 'audit'$$,
    'one delivery is done'
);
select is(
    (select outcome
     from claimed, symphony.nack_with_backoff(claim_id, message_id, 'x')
     where headers ->> 'handler' = 'send'),
    'retry', 'the other delivery fails'
);
select symphony.configure_queue('default', retry_delay => '0 s');
update symphony.delayed_message set available_at = clock_timestamp() - interval '1 s';
select lives_ok($$select symphony.tick()$$, 'a tick brings it back');
select results_eq(
    $$select headers ->> 'handler', attempt from symphony.claim_batch('{default}', 10)$$,
    $$values ('send', 2)$$,
    'it comes back alone'
);

select is(symphony.remove_handler('SendEmail', 'audit'), true, 'a handler can be removed');
select is(symphony.remove_handler('SendEmail', 'audit'), false, 'a handler can be removed once');
delete from symphony.message where message_id not in (select unnest(open_ids) from symphony.claim);
select symphony.enqueue('SendEmail');
select results_eq(
    $$select handler from placed order by id desc limit 1$$,
    $$values ('send')$$,
    'the handler that is left is named in its header'
);
select * from finish();
