-- enqueue, enqueue_batch, set_routes, route_of: the type itself wins, then the longest group, then *.
-- A message without a route goes to the queue "default".
select plan(35);

select symphony.create_queue(q) from unnest('{mail,slow,bulk}'::text[]) as q;
select is(
    symphony.create_transport('email', queue_name => 'mail', priority => 7),
    true, 'a transport is created'
);
select is(
    symphony.create_transport('email', queue_name => 'mail', priority => 7),
    false, 'a transport is created once'
);
select symphony.create_transport('slow', 'postgres', 'slow'),
       symphony.create_transport('bulk', queue_name => 'bulk', priority => 0);

create function pg_temp.place(id bigint) returns text language sql as $$
    select format('%s %s', queue_name, priority) from symphony.message_status(id)
$$;
create function pg_temp.batched(element jsonb) returns text language sql volatile as $$
    select pg_temp.place(id) from symphony.enqueue_batch(jsonb_build_array(element)) as id
$$;

select is(
    pg_temp.place(symphony.enqueue('orders.eu.created')),
    'default 5', 'a message without a route goes to the default queue'
);
select results_eq(
    $$select delivery, pattern, queue_name, priority from symphony.route_of('orders.eu.created')$$,
    $$values (1::bigint, null::text, 'default', 5)$$,
    'route_of says so'
);

select is(symphony.set_routes('orders.*', '["slow"]'), 1, 'a group is routed');
select symphony.set_routes('orders.eu.*', '"bulk"'),
       symphony.set_routes('SendEmail', '[{"transport": "email"}]');
create temporary table wanted (message_type text, place text);
insert into wanted values
    ('SendEmail', 'mail 7'),
    ('orders.created', 'slow 5'),
    ('orders.eu.created', 'bulk 0'),
    ('orders.', 'slow 5'),
    ('orders', 'default 5'),
    ('ordersx.created', 'default 5'),
    ('Other', 'default 5'),
    ('SendEmail.x', 'default 5');
select is(
    pg_temp.place(symphony.enqueue(message_type)),
    place, message_type || ' goes to ' || place
)
from wanted;
select is(
    pg_temp.batched(jsonb_build_object('message_type', message_type)),
    place, 'a message of a batch goes there, too'
)
from wanted;

select symphony.set_routes('*', '["slow"]');
select is(pg_temp.place(symphony.enqueue('Other')), 'slow 5', '* is for what has no other route');
select is(
    pg_temp.place(symphony.enqueue('orders.eu.created')),
    'bulk 0', '* is not for what has another route'
);
select symphony.set_routes('orders.eu.created', '["email"]');
select is(pg_temp.place(symphony.enqueue('orders.eu.created')), 'mail 7', 'the type itself beats any group');

select is(
    pg_temp.place(symphony.enqueue('SendEmail', queue_name => 'slow')),
    'slow 5', 'a message that names a queue takes no route'
);
select is(
    pg_temp.place(symphony.enqueue('SendEmail', priority => 2)),
    'mail 2', 'a priority of the call beats that of the transport'
);
select is(
    pg_temp.place(symphony.enqueue('SendEmail', delay => '1 hour')),
    'mail 7', 'a delayed message is routed as well'
);
select is(
    pg_temp.batched('{"message_type": "SendEmail", "priority": 2}'),
    'mail 2', 'a priority in a batch beats that of the transport, too'
);
select is(
    pg_temp.batched('{"message_type": "SendEmail", "queue_name": "bulk"}'),
    'bulk 5', 'a message of a batch that names a queue takes no route'
);
select is(
    pg_temp.batched('{"message_type": "SendEmail", "idempotency_key": "k"}'),
    'mail 7', 'a message of a batch with a key is routed'
);

-- The lanes of other priorities are looked into.
select is(
    (select count(*) from symphony.claim_batch('{mail}', 100))
    + (select count(*) from symphony.claim_batch('{mail}', 100)),
    (select count(*) from symphony.message join symphony.lane using (lane_id) where queue_name = 'mail'),
    'all messages are handed out'
);

-- What is sent by a schedule obeys the routes of the moment.
select symphony.create_schedule('nightly', 'SendEmail', 'once', '{"at": "2000-01-01 00:00Z"}');
select is(symphony.tick_schedules(), 1, 'a schedule is fired');
select is(
    (select queue_name from symphony.message_status((select last_message_id from symphony.schedule))),
    'mail', 'its message takes the route of its type'
);

select is(symphony.set_routes('SendEmail', '[]'), 0, 'routes can be removed');
select is(pg_temp.place(symphony.enqueue('SendEmail')), 'slow 5', 'the next pattern counts then');
select * from finish();
