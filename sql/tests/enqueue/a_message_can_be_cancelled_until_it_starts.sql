-- cancel, why_not_running: a message can be cancelled before it starts.  One sentence says what it waits for.
select plan(13);
select symphony.enqueue('A') from generate_series(1, 3);
select symphony.enqueue('A', delay => '1 hour');
select is(symphony.cancel(2), true, 'a pending message can be cancelled');
select is(symphony.cancel(4), true, 'a delayed message can be cancelled');
select results_eq(
    $$select message_id from symphony.claim_batch()$$,
    $$values (1::bigint), (3)$$,
    'the other messages are handed out'
);
select is(symphony.cancel(1), false, 'a message that is being processed cannot be cancelled');
select alike(symphony.why_not_running(1), 'It is running:%', 'the sentence says that it runs');
select symphony.nack_with_backoff(tap.newest_claim(), 3, 'bad', retryable => false);
select is(symphony.cancel(3), false, 'a message that failed cannot be cancelled');
select alike(symphony.why_not_running(3), 'It failed for good%bad', 'the sentence says that it failed');
select symphony.ack(tap.newest_claim());
select is(symphony.cancel(1), false, 'a message that is completed cannot be cancelled');
select alike(symphony.why_not_running(1), 'It is done:%', 'the sentence says that it is done');
select alike(
    symphony.why_not_running(2),
    'Message 2 is not known%', 'a message that was cancelled is not known'
);
select symphony.enqueue('A', delay => '1 hour');
select alike(symphony.why_not_running(5), 'It waits until%', 'the sentence says that its time has not come');
select symphony.enqueue('A');
select symphony.pause_queue('default');
select alike(
    symphony.why_not_running(6),
    'Queue "default" has been paused%', 'the sentence says that the queue is paused'
);
select symphony.resume_queue('default');
select symphony.heartbeat('w', '{default}');
select alike(
    symphony.why_not_running(6),
    'Its turn comes after 0 others%', 'the sentence says that it is the next one'
);
select * from finish();
