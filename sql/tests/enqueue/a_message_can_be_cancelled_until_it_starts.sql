-- cancel, why_not_running: before a message starts, and what it waits for.
select plan(13);
select symphony.enqueue('A') from generate_series(1, 3);
select symphony.enqueue('A', delay => '1 hour');
select is(symphony.cancel(2), true, 'a pending message can be cancelled');
select is(symphony.cancel(4), true, 'a delayed one too');
select results_eq(
    $$select message_id from symphony.claim_batch()$$,
    $$values (1::bigint), (3)$$,
    'the others are handed out'
);
select is(symphony.cancel(1), false, 'one that is being processed cannot');
select alike(symphony.why_not_running(1), 'It is running:%', 'why: it runs');
select symphony.nack_with_backoff(tap.newest_claim(), 3, 'bad', retryable => false);
select is(symphony.cancel(3), false, 'nor one that failed');
select alike(symphony.why_not_running(3), 'It failed for good%bad', 'why: it failed');
select symphony.ack(tap.newest_claim());
select is(symphony.cancel(1), false, 'nor one that is completed');
select alike(symphony.why_not_running(1), 'It is done:%', 'why: it is done');
select alike(symphony.why_not_running(2), 'Message 2 is not known%', 'why: it was cancelled');
select symphony.enqueue('A', delay => '1 hour');
select alike(symphony.why_not_running(5), 'It waits until%', 'why: its time has not come');
select symphony.enqueue('A');
select symphony.pause_queue('default');
select alike(symphony.why_not_running(6), 'Queue "default" has been paused%', 'why: the queue is paused');
select symphony.resume_queue('default');
select symphony.heartbeat('w', '{default}');
select alike(symphony.why_not_running(6), 'Its turn comes after 0 others%', 'why: it is the next one');
select * from finish();
