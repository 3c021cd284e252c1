-- cancel, purge_queue, drop_queue, purge: what waits for its key is dealt with as all that waits is.
select plan(26);

\ir _keys.sql

select symphony.create_queue('q', ordered => true, retention => '1 hour');

-- cancel
select pg_temp.put('a1 a2 a3 a4');
select is(pg_temp.take(1), 'a1', 'the first is in hands');
select is(pg_temp.take(), 'none', 'the others are passed');
select ok(symphony.cancel(pg_temp.id('a2')), 'what waits can be cancelled');
select is(pg_temp.state('a3'), 'waiting', 'the others wait on');
select is(pg_temp.fail('a1', '1 hour'), 'retry, returned none', 'the head is delayed');
select ok(symphony.cancel(pg_temp.id('a1')), 'and can be cancelled');
select is(pg_temp.take(1), 'a3', 'which lets its key go');
select is(pg_temp.fail('a3'), 'retry, returned none', 'another head is pending');
select is(pg_temp.take(1) || ', ' || pg_temp.fail('a3'), 'a3, retry, returned none', 'again');
select ok(symphony.cancel(pg_temp.id('a3')), 'it can be cancelled, too');
select is(pg_temp.take(), 'a4', 'and the next one follows');

-- purge
select tap.pass_time('90 seconds');
select is(pg_temp.state('a4'), 'pending', 'its lease is over meanwhile');
select is(pg_temp.take(), 'a4', 'it comes back');
select pg_temp.put('b1 b2');
select is(pg_temp.take(1), 'b1', 'a key is in hands');
select pg_temp.put('c1');
select is(pg_temp.take(), 'c1', 'what follows is passed, and newer ones are done');
select is(pg_temp.done('a4 c1'), 2::bigint, 'completely');
select symphony.configure_queue('q', lease => '1 day');
select symphony.extend_lease(array_agg(claim_id)) from pg_temp.open('b1');
select tap.pass_time('10 minutes');
select symphony.configure_queue('q', retention => '1 minute');
select symphony.purge();
select is(pg_temp.state('b2'), 'waiting', 'nothing is purged that waits, whatever else is over');
select is(pg_temp.done('b1'), 1::bigint, 'the head is done');
select is(pg_temp.take(), 'b2', 'it is handed out in the end');
select is(pg_temp.done('b2'), 1::bigint, 'and done');

-- purge_queue, drop_queue
select pg_temp.put('d1 d2 d3 e1');
select is(pg_temp.take(1), 'd1', 'some are in hands');
select is(pg_temp.take(), 'e1', 'some wait');
select is(pg_temp.fail('e1'), 'retry, returned none', 'and one holds its key');
select pg_temp.put('e2');
select is(symphony.purge_queue('q'), 4::bigint, 'what waits for its key is counted');
select is(
    (select count(*) from symphony.parked) + (select count(*) from symphony.held_key), 0::bigint,
    'purge_queue drops all of them'
);
select pg_temp.put('d4');
select pg_temp.take();
select symphony.drop_queue('q', force => true);
select is(
    (select count(*) from symphony.parked) + (select count(*) from symphony.gate)
    + (select count(*) from symphony.freed_key), 0::bigint,
    'drop_queue leaves nothing behind'
);

select * from finish();
