-- set_routes, sync_handlers, remove_handler, create_queue: enqueue() sees routes and handlers from the first
-- one on, and to the last.
select plan(19);

create function pg_temp.unrouted() returns bigint language sql as $$
    select count(*) from symphony.lane where is_unrouted and queue_name = 'default'
$$;
create function pg_temp.queue_of(id bigint) returns text language sql as $$
    select string_agg(concat_ws(':', l.queue_name, m.headers ->> 'handler'), ' ' order by m.message_id)
    from symphony.message as m join symphony.lane as l using (lane_id) where m.message_id >= id
$$;
select symphony.create_queue('mail'), symphony.create_transport('email', queue_name => 'mail');

select is(pg_temp.unrouted(), 10::bigint, 'lanes know of no routes after the installation');
select is(
    (select count(*) from symphony.lane where is_unrouted),
    10::bigint, 'only the lanes of default take what names no queue'
);
select symphony.set_routes('SendEmail', '["email"]');
select is(pg_temp.unrouted(), 0::bigint, 'lanes of default know of one route');
select is(pg_temp.queue_of(symphony.enqueue('SendEmail')), 'mail', 'the route leads its message');
select is(pg_temp.queue_of(symphony.enqueue('Other')), 'default', 'the route leads no other message');
select is(
    pg_temp.queue_of(symphony.enqueue('SendEmail', idempotency_key => 'k')),
    'mail', 'the route leads a message with a key, too'
);
select is(
    symphony.enqueue('SendEmail', idempotency_key => 'k'),
    (select max(message_id) from symphony.message), 'the key counts in its queue'
);
select is(
    symphony.remove_handler('SendEmail', 'none'),
    false, 'removing a handler that is not there says so'
);
select is(pg_temp.unrouted(), 0::bigint, 'lanes still know of the route');
select symphony.sync_handlers('SendEmail', '{a,b}');
select symphony.set_routes('SendEmail', '[]');
select is(pg_temp.unrouted(), 0::bigint, 'lanes know of handlers when there are no routes');
select is(
    pg_temp.queue_of(symphony.enqueue('SendEmail')),
    'default:a default:b', 'each handler gets its own delivery'
);
select symphony.drop_queue('default', true), symphony.create_queue('default');
select is(pg_temp.unrouted(), 0::bigint, 'a new queue default knows of the handlers');
select symphony.remove_handler('SendEmail', 'a');
select is(pg_temp.unrouted(), 0::bigint, 'lanes know of the one handler that is left');
select symphony.remove_handler('SendEmail', 'b');
select is(pg_temp.unrouted(), 10::bigint, 'lanes know that nothing is left');
select is(
    pg_temp.queue_of(symphony.enqueue('SendEmail')),
    'default', 'a message goes straight into default then'
);
select is_empty($$select * from symphony.check()$$, 'all invariants hold');

-- A snapshot that is older than the routes of others.
select symphony.drop_queue('default', true);
begin isolation level repeatable read;
select throws_ok(
    $$select symphony.create_queue('default')$$,
    'SY011', null, 'a queue default is not made without a look at the routes'
);
rollback;
select symphony.create_queue('default');

-- The queue of a delivery is dropped while its key is taken.
select symphony.sync_handlers('M', '{x,y}');
select tap.elsewhere('dropper', 'begin');
select tap.elsewhere('dropper', $$select symphony.drop_queue('default')$$);
select tap.start_elsewhere('producer', $$select symphony.enqueue('M', idempotency_key => 'k')$$);
select pg_sleep(0.3);
select tap.elsewhere('dropper', 'commit');
select throws_ok(
    $$select tap.result_from('producer')$$,
    'SY001', null, 'the producer hears that the queue is gone'
);
select is(
    count(*),
    0::bigint, 'its message is not kept in part'
)
from symphony.message where message_type = 'M';
select symphony.create_queue('default');
select * from finish();
