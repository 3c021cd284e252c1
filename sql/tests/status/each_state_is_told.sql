-- message_status and the views: they tell where a message is and what happened to it, in each of its states.
select plan(19);

select tap.set_clock('2030-01-01 12:00:00+00');
create function pg_temp.states() returns text language sql as $$
    select string_agg(message_id || ' ' || status || ' ' || attempt, ', ' order by message_id)
    from generate_series(1, 9) as i, symphony.message_status(i)
$$;

select symphony.create_queue('q', max_attempts => 2, lease => '30 s', retention => '1 hour');
select symphony.enqueue('A', jsonb_build_object('n', i), 'q', headers => '{"h": 1}')
from generate_series(1, 7) as i;
select symphony.enqueue('A', '{}', 'q', delay => '5 minutes');
select is(
    pg_temp.states(),
    '1 pending 0, 2 pending 0, 3 pending 0, 4 pending 0, 5 pending 0, 6 pending 0, 7 pending 0, 8 delayed 0',
    'attempts are counted from the first delivery'
);
select is(
    (select count(*) from symphony.pending_message),
    8::bigint, 'pending_message shows those that are delayed too'
);

create temporary table c as select * from symphony.claim_batch('{q}', 5, 'w1');
select tap.advance_clock('3 s');
select symphony.ack(claim_id, '{1}'),
       symphony.nack_with_backoff(claim_id, 2, 'full', 'Full', retry_after => '20 s'),
       symphony.nack_with_backoff(claim_id, 3, 'bad', 'Bad', retryable => false),
       symphony.release(claim_id, '{4}')
from c limit 1;
select is(
    pg_temp.states(),
    '1 completed 1, 2 delayed 1, 3 failed 1, 4 pending 0, '
    '5 processing 1, 6 pending 0, 7 pending 0, 8 delayed 0',
    'each message of a claim goes its own way'
);
select results_eq(
    $$select claimed_at - enqueued_at, finished_at, worker, claim_id, last_error
      from symphony.message_status(1)$$,
    $$select '0 s'::interval, null::timestamptz, 'w1', max(claim_id), null from c$$,
    'a completed message names its claim, which has no end while others of it are open'
);
select results_eq(
    $$select available_at - enqueued_at, last_error, worker, claim_id, body, headers
      from symphony.message_status(2)$$,
    $$values ('23 s'::interval, 'full', null, null::bigint, '{"n": 2}'::jsonb, '{"h": 1}'::jsonb)$$,
    'a retry says when it is due, why, and all that the producer gave'
);
select results_eq(
    $$select failed_at - enqueued_at, last_error, worker, max_attempts from symphony.message_status(3)$$,
    $$values ('3 s'::interval, 'bad', 'w1', 2)$$, 'a failed message says when, why and by whom'
);
select results_eq(
    $$select reason, error_class, attempt, last_error, worker, body from symphony.failed_overview$$,
    $$values ('permanent', 'Bad', 1::smallint, 'bad', 'w1', '{"n": 3}'::jsonb)$$,
    'failed_overview shows the failed message'
);
select results_eq(
    $$select worker, message_id, attempt, lease_until - claimed_at from symphony.processing_message$$,
    $$values ('w1', 5::bigint, 1, '30 s'::interval)$$,
    'processing_message shows who has what, and until when'
);
select symphony.ack(max(claim_id)) from c;
select is(
    (select finished_at - claimed_at from symphony.message_status(1)),
    '3 s'::interval, 'a claim is finished with its last message'
);
select results_eq(
    $$select status, attempt from symphony.message_status(5)$$,
    $$values ('completed', 1)$$,
    'that message is completed'
);

-- The next attempt.
select tap.advance_clock('20 s');
select symphony.tick();
select results_eq(
    $$select status, attempt, last_error, available_at - enqueued_at from symphony.message_status(2)$$,
    $$values ('pending', 1, 'full', '23 s'::interval)$$,
    'what is due again is pending, and its error is kept'
);
create temporary table d as select * from symphony.claim_batch('{q}', 10, 'w2');
select is(
    (select string_agg(message_id || ':' || attempt, ' ') from d),
    '6:1 7:1 4:1 2:2', 'messages are claimed in the order in which they became pending'
);
select results_eq(
    $$select status, attempt, worker, last_error from symphony.message_status(2)$$,
    $$values ('processing', 2, 'w2', 'full')$$,
    'the retried message is in its second attempt'
);
select tap.pass_time('30 s');
select symphony.tick();
select is(
    pg_temp.states(),
    '1 completed 1, 2 failed 2, 3 failed 1, 4 pending 1, '
    '5 completed 1, 6 pending 1, 7 pending 1, 8 delayed 0',
    'the end of a lease is the end of an attempt'
);
select results_eq(
    $$select reason, error_class, worker from symphony.failed_overview where message_id = 2$$,
    $$values ('lease ended', 'LeaseEnded', 'w2')$$,
    'the end of the last attempt is a failure'
);
select symphony.purge_queue('q');
select is(
    (select string_agg(status, ' ' order by message_id)
     from generate_series(4, 8) as i, symphony.message_status(i)),
    'removed completed removed removed delayed', 'purge_queue() removes what is pending'
);
select is_empty($$select * from symphony.message_status(99)$$, 'an unknown message has no status');
select is_empty($$select * from symphony.message_status(null)$$, 'null has no status');

-- Statuses agree with the counts.
select results_eq(
    $$select pending, delayed, processing, failed from symphony.queue_stats('q')$$,
    $$select count(*) filter (where status = 'pending'), count(*) filter (where status = 'delayed'),
             count(*) filter (where status = 'processing'), count(*) filter (where status = 'failed')
      from generate_series(1, 9) as i, symphony.message_status(i)$$, 'the statistics count the same'
);
select * from finish();
