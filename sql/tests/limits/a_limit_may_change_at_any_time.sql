-- configure_queue: order and limits come and go while messages wait and are in hands.
select plan(20);

\ir _keys.sql

select symphony.create_queue('q');
select pg_temp.put('a1 a2 a3 a4 b1');
select is(pg_temp.take(2), 'a1 a2', 'a queue without limits hands out two of a key');
select symphony.configure_queue('q', ordered => true);
select is(pg_temp.take(), 'b1', 'when it is made ordered, they count');
select is(pg_temp.done('a1'), 1::bigint, 'one of them is done');
select is(pg_temp.take(), 'none', 'the other one still has the key');
select is(pg_temp.fail('a2'), 'retry, returned none', 'which it holds from then on');
select is(pg_temp.take(), 'a2', 'so it comes back before the others');
select is(pg_temp.done('a2'), 1::bigint, 'and is done');
select is(pg_temp.take(1), 'a3', 'they follow');
select symphony.configure_queue('q', ordered => false, key_concurrency => 2);
select is(pg_temp.take(), 'a4', 'two of a key may be in hands now, and what waited is looked at');
select pg_temp.put('a5 a6');
select is(pg_temp.take(), 'none', 'two are');
select symphony.configure_queue('q', key_concurrency => 0, concurrency => 4);
select is(pg_temp.take(), 'a5', 'without a limit of keys what waited is pending again, as many as may be');
select is(pg_temp.state('a6'), 'pending', 'the next one is over the limit');
select symphony.configure_queue('q', concurrency => 0);
select is(pg_temp.take(), 'a6', 'without any limit it is handed out');
select is(
    (select count(*) from symphony.parked)
    + (select count(*) from symphony.freed_key) + (select count(*) from symphony.lane where is_gated),
    0::bigint, 'and the queue is as any other'
);
select is(pg_temp.done('a3 a4 a5 a6 b1'), 5::bigint, 'all are done, whatever they were claimed under');
select symphony.purge();
select is((select count(*) from symphony.gate), 0::bigint, 'and nobody has to know of them any more');

-- What is set already changes nothing.
select symphony.configure_queue('q', ordered => true);
select pg_temp.put('c1 c2');
select is(pg_temp.take(1), 'c1', 'one is in hands');
create temporary table gate as select * from symphony.gate;
select symphony.create_queue('q', ordered => true, key_concurrency => 0);
select results_eq('table symphony.gate', 'table gate', 'the same settings once more leave the gate alone');

-- An ordered queue has one priority.
select throws_ok(
    $$select symphony.enqueue('T', queue_name => 'q', priority => 7)$$, '22023', null,
    'an ordered queue refuses another priority'
);
select symphony.create_transport('t', queue_name => 'q', priority => 7);
select symphony.set_routes('Routed', '["t"]');
select throws_ok(
    $$select symphony.enqueue_batch('[{"message_type": "Routed"}]')$$, 'SY005', null,
    'also that of a transport'
);

select * from finish();
