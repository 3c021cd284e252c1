-- claim_batch: messages come by queue, by priority and by age.  A claim holds one lane.  Nothing comes twice.
select plan(17);

select symphony.create_queue('first');
select symphony.enqueue('low', queue_name => 'first', priority => 0);
select symphony.enqueue('normal', queue_name => 'first');
select symphony.enqueue('second', queue_name => 'first');
select symphony.enqueue('high', queue_name => 'first', priority => 9);
select symphony.enqueue('other');

select is(
    (select string_agg(message_type, ' ') from symphony.claim_batch('{first,default}')),
    'high', 'priority 9 goes first, and a claim holds one lane'
);
select is(
    (select string_agg(message_type, ' ') from symphony.claim_batch('{first,default}')),
    'normal second', 'priority 5 follows, in the order enqueued'
);
select is(
    (select string_agg(message_type, ' ') from symphony.claim_batch('{first,default}')),
    'low', 'priority 0 follows'
);
select is(
    (select string_agg(message_type, ' ') from symphony.claim_batch('{first,default}')),
    'other', 'the next queue follows'
);
select is_empty($$select * from symphony.claim_batch('{first,default}')$$, 'then nothing is left');

-- Batches that end in the middle of a transaction.
begin;
select symphony.enqueue('part', jsonb_build_object('n', i)) from generate_series(1, 5) i;
commit;
select symphony.enqueue('part', '{"n": 6}');
select is(
    (select string_agg(body ->> 'n', ' ') from symphony.claim_batch(batch_size => 2)),
    '1 2', 'a claim takes two of a transaction of five'
);
select is(
    (select string_agg(body ->> 'n', ' ') from symphony.claim_batch(batch_size => 2)),
    '3 4', 'the next claim takes the next two'
);
select is(
    (select string_agg(body ->> 'n', ' ') from symphony.claim_batch(batch_size => 2)),
    '5 6', 'the third claim takes the last one and that of the next transaction'
);
select is_empty($$select * from symphony.claim_batch()$$, 'no message is left');

-- A transaction that enqueues, claims, and enqueues again.
begin;
select symphony.enqueue('own', '{"n": 1}');
select is_empty(
    $$select * from symphony.claim_batch()$$,
    'a message is not handed out before its transaction has committed'
);
select symphony.enqueue('own', '{"n": 2}');
commit;
select is(
    (select string_agg(body ->> 'n', ' ') from symphony.claim_batch()),
    '1 2', 'both messages are handed out after the commit'
);

-- Paused, and bad input.
select symphony.enqueue('waits');
select symphony.pause_queue('default');
select is_empty($$select * from symphony.claim_batch()$$, 'a paused queue hands out nothing');
select symphony.resume_queue('default');
select is(
    (select count(*) from symphony.claim_batch()),
    1::bigint, 'a queue that is resumed hands out again'
);
select throws_ok(
    $$select symphony.claim_batch('{default,nope}')$$,
    'SY001', null, 'an unknown queue is refused'
);
select throws_ok($$select symphony.claim_batch('{}')$$, '22023', null, 'an empty list of queues is refused');
select throws_ok(
    $$select symphony.claim_batch(batch_size => 0)$$,
    '22023', null, 'a batch of nothing is refused'
);
select throws_ok(
    $$select symphony.claim_batch(lease => '1 ms')$$,
    '22023', null, 'a lease that ends at once is refused'
);
select * from finish();
