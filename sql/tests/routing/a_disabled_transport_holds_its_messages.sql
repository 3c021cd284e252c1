-- disable_transport, enable_transport: what is held is not handed out, is counted, says why, and is not lost.
select plan(33);

select symphony.create_queue('mail'), symphony.create_queue('shared');
select symphony.create_transport('email', queue_name => 'mail', priority => 7),
       symphony.set_routes('SendEmail', '["email"]');
create function pg_temp.held(queue text) returns integer[] language sql as $$
    select array(select priority::integer from symphony.lane
                 where queue_name = queue and is_held and not alone order by 1)
$$;
create function pg_temp.claimed(queue text) returns bigint[] language sql volatile as $$
    select array(select message_id from symphony.claim_batch(array[queue], 100) order by 1)
$$;

select is(symphony.disable_transport('email'), true, 'a transport is disabled');
select is(symphony.disable_transport('email'), false, 'a transport is disabled once');
select symphony.enqueue('SendEmail') as a, symphony.enqueue('SendEmail', priority => 2) as b,
       symphony.enqueue('Other', queue_name => 'mail') as c,
       symphony.enqueue('SendEmail', delay => '1 ms') as d \gset
select is(
    pg_temp.claimed('mail'),
    '{}', 'its queue hands out nothing, since no other transport leads there'
);
select is(
    pg_temp.held('mail'),
    array(select generate_series(0, 9)),
    'all lanes are held, so a priority given to enqueue() is no way around'
);
select is((select pending from symphony.queue_stats('mail')), 3::bigint, 'what is held counts as pending');
select is((select status from symphony.message_status(:a)), 'pending', 'what is held is pending');
select alike(
    symphony.why_not_running(:a),
    'It is held, since transport "email" has been disabled since %enable_transport(''email'');',
    'what is held says why'
);
select alike(symphony.why_not_running(:b), '%transport "email"%', 'what is held says why at any priority');
select results_eq(
    $$select enabled from symphony.route_of('SendEmail')$$,
    $$values (false)$$,
    'route_of says that the transport is disabled'
);
select is(
    symphony.create_transport('email', queue_name => 'mail', priority => 7),
    false, 'the transport is created again'
);
select is(pg_temp.claimed('mail'), '{}', 'it stays disabled');
select lives_ok($$select symphony.tick()$$, 'a tick moves on what was delayed');
select is(pg_temp.claimed('mail'), '{}', 'what was delayed is held, too');
select is(symphony.enable_transport('email'), true, 'the transport is enabled');
select is(symphony.enable_transport('email'), false, 'it is enabled once');
select is(pg_temp.held('mail'), '{}', 'nothing is held');
select is(
    pg_temp.claimed('mail') || pg_temp.claimed('mail') || pg_temp.claimed('mail'),
    array[:a, :d, :c, :b]::bigint[], 'all messages are handed out'
);

-- What is in the hands of a worker may be settled; what a crash gives back is held.
select symphony.ack(claim_id) from symphony.claim where open_ids <> '{}';
select symphony.enqueue('SendEmail', '{"n": 1}') as e \gset
select pg_temp.claimed('mail');
select symphony.disable_transport('email');
update symphony.claim set lease_until = clock_timestamp() - interval '1 ms' where open_ids <> '{}';
select is((symphony.tick() ->> 'recovered')::integer, 1, 'a lease ends');
select is((select alone from symphony.lane where alone), true, 'the message goes into a lane of its own');
select is(pg_temp.claimed('mail'), '{}', 'that lane is held from the start');
select alike(symphony.why_not_running(:e), '%transport "email"%', 'the message says why');
select symphony.enable_transport('email');
select is(pg_temp.claimed('mail'), array[:e]::bigint[], 'it is handed out when the transport is enabled');
select symphony.disable_transport('email');
select is((select is_held from symphony.lane where alone), true, 'its lane is held again with the transport');
select symphony.enable_transport('email');

-- Several transports of one queue.
select symphony.create_transport('a', queue_name => 'shared', priority => 3),
       symphony.create_transport('b', queue_name => 'shared', priority => 3),
       symphony.create_transport('c', queue_name => 'shared');
select symphony.disable_transport('a');
select is(
    pg_temp.held('shared'),
    '{3}', 'only the lane of a disabled transport is held while others are enabled'
);
select symphony.disable_transport('c');
select is(pg_temp.held('shared'), '{3,5}', 'the lane of a transport without a priority is 5');
select symphony.disable_transport('b');
select is(
    pg_temp.held('shared'),
    array(select generate_series(0, 9)), 'all of the queue is held when no transport is enabled'
);
select symphony.enable_transport('a');
select is(pg_temp.held('shared'), '{3,5}', 'a lane is held while any of its transports is disabled');
select symphony.create_transport('b', queue_name => 'mail', priority => 1);
select is(pg_temp.held('shared'), '{5}', 'a transport that is moved takes the hold along');
select is(pg_temp.held('mail'), '{1}', 'its new queue has the hold');
select is(symphony.remove_transport('c'), true, 'a transport is removed');
select is(symphony.remove_transport('c'), false, 'it is removed once');
select is(pg_temp.held('shared'), '{}', 'a transport that was removed holds nothing any more');
begin isolation level repeatable read;
select throws_ok(
    $$select symphony.disable_transport('a')$$,
    'SY011', null, 'an older snapshot is refused, since it might miss a lane'
);
rollback;
select * from finish();
