-- The life of one message, from enqueue to ack, and of another that goes wrong.
-- A message can be claimed once its transaction has committed, so this is no single transaction.
select plan(24);

-- Any client that can run a SELECT puts a message into a queue.
select is(
    symphony.enqueue('SendEmail', '{"to": "ada"}'), 1::bigint,
    'enqueue returns the id that the message keeps for its whole life'
);
select results_eq(
    $$select status, attempt, queue_name, priority from symphony.message_status(1)$$,
    $$values ('pending', 0, 'default', 5)$$,
    'it is pending in the queue "default", with the priority between 0 and 9 that is the default'
);
select alike(
    symphony.why_not_running(1), 'No worker consumes queue%',
    'one sentence says what it waits for'
);

-- A worker claims a batch: one claim, held until the lease ends.
create temporary table batch as
select * from symphony.claim_batch(queues => '{default}', batch_size => 10, worker => 'w1');

select results_eq(
    $$select message_id, message_type, body, attempt, max_attempts from batch$$,
    $$values (1::bigint, 'SendEmail', '{"to": "ada"}'::jsonb, 1, 4)$$,
    'the worker gets the message, in its first attempt of four'
);
select results_eq(
    $$select status, attempt, worker from symphony.message_status(1)$$,
    $$values ('processing', 1, 'w1')$$,
    'it is in the hands of that worker'
);
select is_empty(
    $$select * from symphony.claim_batch()$$,
    'nobody else gets it'
);

-- It is done: one row of symphony.claim is updated, the message is not touched.
select is((select symphony.ack(claim_id) from batch), 1, 'ack settles what is left of the claim');
select results_eq(
    $$select status, attempt, worker, finished_at is not null from symphony.message_status(1)$$,
    $$values ('completed', 1, 'w1', true)$$,
    'it is completed, and stays as history until the retention of its queue is over'
);
select throws_ok(
    $$select symphony.ack(claim_id) from batch$$, 'SY010', null,
    'a claim can be settled once'
);

-- Another message fails: it comes back later, with the next attempt.
select symphony.create_queue('mail', max_attempts => 2, retry_delay => '10 s', retry_jitter => 0);
select is(
    symphony.enqueue('SendEmail', '{"to": "bob"}', queue_name => 'mail', priority => 9),
    2::bigint, 'a second message goes into a queue of its own'
);
create temporary table first_try as select * from symphony.claim_batch('{mail}', worker => 'w1');
select results_eq(
    $$select (symphony.nack_with_backoff(claim_id, message_id, 'mailbox full')).outcome from first_try$$,
    $$values ('retry')$$,
    'a message that could not be done is to be retried'
);
select results_eq(
    $$select status, attempt, last_error, available_at > now() from symphony.message_status(2)$$,
    $$values ('delayed', 1, 'mailbox full', true)$$,
    'it waits for its time, and the error is kept'
);
select is((symphony.tick() ->> 'promoted')::integer, 0, 'tick finds nothing due yet');

-- Ten seconds later.  The clock is in one function, so that a test can put it forward.
select tap.advance_clock('11 seconds');
select is((symphony.tick() ->> 'promoted')::integer, 1, 'tick makes it pending again');
select results_eq(
    $$select status, attempt from symphony.message_status(2)$$, $$values ('pending', 1)$$,
    'it is back in its lane, with one attempt used'
);
create temporary table second_try as select * from symphony.claim_batch('{mail}', worker => 'w2');
select is((select attempt from second_try), 2, 'this is its second attempt, and its last');

-- The worker dies with it, and others go on.  Its lease ends, and a crash counts as an attempt.
select tap.pass_time('31 seconds');
select throws_ok(
    $$select symphony.ack(claim_id) from second_try$$, 'SY010', null,
    'a worker that comes back after its lease cannot settle the message'
);
select is((symphony.tick() ->> 'failed')::integer, 1, 'tick finds the ended lease');
select results_eq(
    $$select status, attempt, worker, failed_at is not null from symphony.message_status(2)$$,
    $$values ('failed', 2, 'w2', true)$$,
    'its attempts are used up: it is among the failed ones until a person decides'
);
select results_eq(
    $$select reason, queue_name, priority::integer from symphony.failed_overview$$,
    $$values ('lease ended', 'mail', 9)$$,
    'it says why'
);

-- A message that is not wanted any more.
select is(symphony.enqueue('SendEmail', '{}', delay => '1 hour'), 3::bigint, 'a third message is delayed');
select ok(symphony.cancel(3), 'it can be cancelled before it starts');
select is_empty($$select * from symphony.message_status(3)$$, 'it is gone');

select is_empty($$select * from symphony.check()$$, 'no invariant was broken on the way');
select * from finish();
