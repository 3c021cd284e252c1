-- drop_queue: what is not yet committed is not lost with the queue.  While it is waited for, others go on.
select plan(9);

-- Messages that were sent after the snapshot of a transaction.
select symphony.create_queue('q');
begin isolation level repeatable read;
select count(*) from symphony.message;
select tap.elsewhere('other', $$select symphony.enqueue('A', queue_name => 'q')$$);
savepoint before;
select throws_ok(
    $$select symphony.drop_queue('q')$$,
    'SY011', null, 'an old snapshot does not see what the queue holds'
);
commit;
select throws_ok(
    $$select symphony.drop_queue('q')$$,
    'SY002', null, 'a queue that holds a message is not dropped'
);

-- A producer that stays open.
select symphony.create_queue('r');
select tap.elsewhere('other', 'begin');
select tap.elsewhere('other', $$select symphony.enqueue('A', queue_name => 'r')$$);
select tap.start_elsewhere('dropper', $$select symphony.drop_queue('r')$$);
select pg_sleep(0.3);
set lock_timeout = '900 ms';
select lives_ok(
    $$select symphony.enqueue('B', queue_name => 'q')$$,
    'others enqueue into another queue meanwhile'
);
select lives_ok(
    $$select symphony.enqueue('B', queue_name => 'r')$$,
    'others enqueue into the same queue, too'
);
reset lock_timeout;
select is(dblink_is_busy('dropper'), 1, 'drop_queue() waits for the message that is not yet committed');
select tap.elsewhere('other', 'commit');
select throws_ok(
    $$select tap.result_from('dropper')$$,
    'SY002', null, 'it does not drop the queue of that message'
);
select is((select count(*) from symphony.claim_batch('{r}')), 2::bigint, 'both messages are there');

-- The same by force.
select symphony.ack(claim_id) from symphony.claim where open_ids <> '{}';
select is(symphony.drop_queue('r'), true, 'a queue whose messages are completed is dropped');
select is(symphony.drop_queue('q', force => true), true, 'a queue that holds messages is dropped by force');
select * from finish();
