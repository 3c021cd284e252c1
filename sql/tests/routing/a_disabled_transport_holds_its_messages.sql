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
select is(symphony.disable_transport('email'), false, 'once');
select symphony.enqueue('SendEmail') as a, symphony.enqueue('SendEmail', priority => 2) as b,
       symphony.enqueue('Other', queue_name => 'mail') as c,
       symphony.enqueue('SendEmail', delay => '1 ms') as d \gset
select is(
    pg_temp.claimed('mail'),
    '{}', 'nothing of its queue is handed out, since no other transport leads there'
);
select is(
    pg_temp.held('mail'),
    array(select generate_series(0, 9)),
    'all lanes are held, so a priority given to enqueue() is no way around'
);
select is((select pending from symphony.queue_stats('mail')), 3::bigint, 'what is held counts as pending');
select is((select status from symphony.message_status(:a)), 'pending', 'it is pending');
select alike(
    symphony.why_not_running(:a),
    'It is held, since transport "email" has been disabled since %enable_transport(''email'');',
    'and says why'
);
select alike(symphony.why_not_running(:b), '%transport "email"%', 'at any priority');
select results_eq(
    $$select enabled from symphony.route_of('SendEmail')$$,
    $$values (false)$$,
    'route_of says so'
);
select is(
    symphony.create_transport('email', queue_name => 'mail', priority => 7),
    false, 'it is created again'
);
select is(pg_temp.claimed('mail'), '{}', 'and stays disabled');
select lives_ok($$select symphony.tick()$$, 'a tick moves on what was delayed');
select is(pg_temp.claimed('mail'), '{}', 'that is held too');
select is(symphony.enable_transport('email'), true, 'it is enabled');
select is(symphony.enable_transport('email'), false, 'once');
select is(pg_temp.held('mail'), '{}', 'nothing is held');
select is(
    pg_temp.claimed('mail') || pg_temp.claimed('mail') || pg_temp.claimed('mail'),
    array[:a, :d, :c, :b]::bigint[], 'and all of it is handed out, nothing is lost'
);

-- What is in the hands of a worker may be settled; what a crash gives back is held.
select symphony.ack(claim_id) from symphony.claim where open_ids <> '{}';
select symphony.enqueue('SendEmail', '{"n": 1}') as e \gset
select pg_temp.claimed('mail');
select symphony.disable_transport('email');
update symphony.claim set lease_until = clock_timestamp() - interval '1 ms' where open_ids <> '{}';
select is((symphony.tick() ->> 'recovered')::integer, 1, 'a lease ends');
select is((select alone from symphony.lane where alone), true, 'the message goes into a lane of its own');
select is(pg_temp.claimed('mail'), '{}', 'which is held from the start');
select alike(symphony.why_not_running(:e), '%transport "email"%', 'and says why');
select symphony.enable_transport('email');
select is(pg_temp.claimed('mail'), array[:e]::bigint[], 'until the transport is enabled');
select symphony.disable_transport('email');
select is((select is_held from symphony.lane where alone), true, 'and held again with it');
select symphony.enable_transport('email');

-- Several transports of one queue.
select symphony.create_transport('a', queue_name => 'shared', priority => 3),
       symphony.create_transport('b', queue_name => 'shared', priority => 3),
       symphony.create_transport('c', queue_name => 'shared');
select symphony.disable_transport('a');
select is(
    pg_temp.held('shared'),
    '{3}', 'while others are enabled only the lane of the disabled one is held'
);
select symphony.disable_transport('c');
select is(pg_temp.held('shared'), '{3,5}', 'without a priority that is 5');
select symphony.disable_transport('b');
select is(
    pg_temp.held('shared'),
    array(select generate_series(0, 9)), 'when none is enabled all of the queue is held'
);
select symphony.enable_transport('a');
select is(pg_temp.held('shared'), '{3,5}', 'a lane is held while any of its transports is disabled');
select symphony.create_transport('b', queue_name => 'mail', priority => 1);
select is(pg_temp.held('shared'), '{5}', 'a transport that is moved takes the hold along');
select is(pg_temp.held('mail'), '{1}', 'to its new queue');
select is(symphony.remove_transport('c'), true, 'one that is removed holds nothing any more');
select is(symphony.remove_transport('c'), false, 'and is gone');
select is(pg_temp.held('shared'), '{}', 'so everything is handed out again');
begin isolation level repeatable read;
select throws_ok(
    $$select symphony.disable_transport('a')$$,
    'SY011', null, 'an older snapshot might miss a lane'
);
rollback;
select * from finish();
