-- why_not_running: each reason has its sentence.
select plan(16);

select tap.set_clock('2030-01-01 12:00:00+00');

select symphony.create_queue('q', max_attempts => 2);
select symphony.enqueue('A', queue_name => 'q') from generate_series(1, 3);
select symphony.enqueue('A', queue_name => 'q', priority => 9);
select symphony.enqueue('A', queue_name => 'q', delay => '10 s');
select alike(symphony.why_not_running(1), 'No worker consumes queue "q"%', 'nobody consumes the queue');
select symphony.heartbeat('w', '{default}');
select alike(
    symphony.why_not_running(1),
    'No worker consumes queue "q"%', 'a worker of another queue does not count'
);
select symphony.heartbeat('w', '{default,q}');
select alike(symphony.why_not_running(4), 'Its turn comes after 0 others%', 'it is the next one');
select alike(
    symphony.why_not_running(3),
    'Its turn comes after 3 others%', 'two are before it in its lane, and one has a higher priority'
);
select symphony.request_workers('pause');
select alike(
    symphony.why_not_running(3),
    'The workers of queue "q" are paused or stop%', 'all workers that might claim it are paused'
);
select symphony.request_workers('resume');
select alike(symphony.why_not_running(5), 'It waits until 2030-01-01 12:00:10%', 'its time has not come');
select tap.advance_clock('11 s');
select alike(
    symphony.why_not_running(5),
    'It has been due since 2030-01-01 12:00:10%symphony.tick()%',
    'its time has come, but nothing calls tick()'
);
select symphony.pause_queue('q');
select alike(
    symphony.why_not_running(1),
    'Queue "q" has been paused since 2030-01-01 12:00:11%', 'the queue is paused'
);
select symphony.resume_queue('q');
create temporary table c as select * from symphony.claim_batch('{q}', worker => 'w');
select alike(
    symphony.why_not_running(4),
    'It is running: w has had it since%attempt 1 of 2. Its lease lasts until 2030-01-01 12:00:41%',
    'it is running'
);
select tap.advance_clock('30 s');
select alike(
    symphony.why_not_running(4),
    'It is running:%Its lease ended at 2030-01-01 12:00:41%symphony.tick()%',
    'its worker is gone'
);
select symphony.tick();
select (symphony.nack_with_backoff(claim_id, message_id, 'no such mailbox', retryable => false)).outcome
from symphony.claim_batch('{q}', worker => 'w');
select alike(
    symphony.why_not_running(4),
    'It failed for good at%attempt 2 of 2, and comes back by symphony-pg failed retry 4, '
    'or select * from symphony.retry_failed(''{4}''): no such mailbox',
    'it has failed for good'
);
select symphony.ack(claim_id) from (select distinct claim_id from symphony.claim_batch('{q}', 1)) as claimed;
select alike(
    symphony.why_not_running(1),
    'It is done: a worker finished it at%', 'a worker without a name has finished it'
);
select (symphony.nack_with_backoff(claim_id, message_id, 'busy')).outcome from symphony.claim_batch('{q}', 1);
select alike(symphony.why_not_running(2), 'It waits until%: busy.', 'it waits for its next attempt');
select symphony.purge_queue('q');
select alike(symphony.why_not_running(3), 'It was removed by purge_queue() at%', 'it was removed');
select alike(symphony.why_not_running(99), 'Message 99 is not known%', 'there is no such message');
select is_empty(
    $$select i, sentence from generate_series(1, 99) as i, symphony.why_not_running(i) as sentence
      where sentence is null or sentence like '%  %' or sentence ~ '[(]null[)]'$$,
    'it always says something'
);
select * from finish();
