-- claim_batch: by queue, by priority, by age; one lane a claim; nothing twice.
select plan(17);

select symphony.create_queue('first');
select symphony.enqueue('low', queue_name => 'first', priority => 0);
select symphony.enqueue('normal', queue_name => 'first');
select symphony.enqueue('second', queue_name => 'first');
select symphony.enqueue('high', queue_name => 'first', priority => 9);
select symphony.enqueue('other');

select is(
    (select string_agg(message_type, ' ') from symphony.claim_batch('{first,default}')),
    'high', '9 goes first, and a claim holds one lane'
);
select is(
    (select string_agg(message_type, ' ') from symphony.claim_batch('{first,default}')),
    'normal second', 'then 5, in the order enqueued'
);
select is(
    (select string_agg(message_type, ' ') from symphony.claim_batch('{first,default}')),
    'low', 'then 0'
);
select is(
    (select string_agg(message_type, ' ') from symphony.claim_batch('{first,default}')),
    'other', 'then the next queue'
);
select is_empty($$select * from symphony.claim_batch('{first,default}')$$, 'then there is nothing');

-- Batches that end in the middle of a transaction.
begin;
select symphony.enqueue('part', jsonb_build_object('n', i)) from generate_series(1, 5) i;
commit;
select symphony.enqueue('part', '{"n": 6}');
select is(
    (select string_agg(body ->> 'n', ' ') from symphony.claim_batch(batch_size => 2)),
    '1 2', 'two of a transaction of five'
);
select is(
    (select string_agg(body ->> 'n', ' ') from symphony.claim_batch(batch_size => 2)),
    '3 4', 'the next two'
);
select is(
    (select string_agg(body ->> 'n', ' ') from symphony.claim_batch(batch_size => 2)),
    '5 6', 'the last one and the next transaction''s'
);
select is_empty($$select * from symphony.claim_batch()$$, 'and no more');

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
    '1 2', 'afterwards nothing of it is missing'
);

-- Paused, and bad input.
select symphony.enqueue('waits');
select symphony.pause_queue('default');
select is_empty($$select * from symphony.claim_batch()$$, 'a paused queue hands out nothing');
select symphony.resume_queue('default');
select is((select count(*) from symphony.claim_batch()), 1::bigint, 'until it is resumed');
select throws_ok($$select symphony.claim_batch('{default,nope}')$$, 'SY001', null, 'an unknown queue');
select throws_ok($$select symphony.claim_batch('{}')$$, '22023', null, 'no queue');
select throws_ok($$select symphony.claim_batch(batch_size => 0)$$, '22023', null, 'a batch of nothing');
select throws_ok(
    $$select symphony.claim_batch(lease => '1 ms')$$,
    '22023', null, 'a lease that ends at once'
);
select * from finish();
