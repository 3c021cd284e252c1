-- return_delivery, first_receipt: who may use some queues speaks for the transports of these, and whoever
-- brings home a message of another queue does not touch it.
select plan(15);

select symphony.create_transport(name, 'rabbitmq') from unnest('{orders,mail}'::text[]) as name;
select symphony.create_queue('sms');
create role sy_one_outbox;
select symphony.grant_access('sy_one_outbox', 'consumer', '{outbox/orders}');
create temporary table sent as
select name, symphony.enqueue('Pay', to_jsonb(name), queue_name => name) as id
from unnest('{outbox/orders,outbox/mail,sms}'::text[]) as name;
grant select on sent to public;
create function pg_temp.home(transport text, name text, attempt integer default 1) returns text
language sql as $$
    select outcome from symphony.return_delivery(
        transport, home.name, 'Pay', '0', '{}', attempt, 'it broke',
        (select id from sent where sent.name = home.name))
$$;
create temporary table was as
select c.claim_id, c.message_id
from sent cross join lateral symphony.claim_batch(array[sent.name], 100, 'relay') as c;

set role sy_one_outbox;
select ok(symphony.first_receipt('orders', '1'), 'it leaves a receipt at its own transport');
select throws_ok($$select symphony.first_receipt('mail', '1')$$, '42501', null, 'and at no other one');
select throws_ok($$select symphony.first_receipt('nope', '1')$$, '42501', null,
                 'whether there is one or not');
select throws_ok($$select symphony.first_receipt(null, '1')$$, '42501', null, 'or it has no name');
select throws_ok($$select pg_temp.home('mail', 'outbox/mail')$$, '42501', null,
                 'it brings home nothing by another transport');
select throws_ok($$select pg_temp.home('nope', 'outbox/mail')$$, '42501', null,
                 'whether there is one or not');
select is(pg_temp.home('orders', 'outbox/orders'), 'retry', 'it brings home what came by its own');
select is(pg_temp.home('orders', 'outbox/mail'), 'retry', 'one of another outbox is somebody else''s');
select is(pg_temp.home('orders', 'sms'), 'retry', 'so is that of any other queue');
select is(
    (select outcome from symphony.return_delivery('orders', 'x', 'A', '1', '{}', 1, 'x', 1000000000000)),
    'retry', 'and one that there never was'
);
select is(
    (select outcome from symphony.return_delivery('orders', 'y', 'A', '1', '{}', 1, 'x', -1)),
    'retry', 'or could be'
);
select is(pg_temp.home('orders', 'sms', 2), 'known', 'a second time it is known by its key');
reset role;

select results_eq(
    $$select name, status from sent, symphony.message_status(id) order by name$$,
    $$values ('outbox/mail', 'processing'), ('outbox/orders', 'delayed'), ('sms', 'processing')$$,
    'what is of other queues is where it was'
);
select results_eq(
    $$select count(*), max(message_id) <= (select last_value from symphony.message_id_seq)
      from symphony.delayed_message as d join symphony.lane using (lane_id)
      where queue_name = 'outbox/orders' and message_id not in (select id from sent)$$,
    $$values (4::bigint, true)$$, 'and what was brought home in its name has an id of its own'
);
select is((select sum(symphony.ack(claim_id)) from (select distinct claim_id from was) as c
           where claim_id in (select claim_id from was join sent on id = message_id
                              where name <> 'outbox/orders')), 2::bigint, 'their claims are still held');

drop owned by sy_one_outbox;
drop role sy_one_outbox;
select * from finish();
