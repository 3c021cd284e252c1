-- message_history: each attempt that failed is kept with its times, worker, error and traceback.
-- It goes with its message.
-- Runs alone: a transaction that runs in another database of the server holds the purge up.
select plan(15);

select tap.set_clock('2030-01-01 12:00:00+00');

select symphony.create_queue('q', max_attempts => 3, retry_delay => '1 s', retry_jitter => 0,
                             retention => '1 hour');
select symphony.enqueue('A', queue_name => 'q');
select is_empty($$select * from symphony.message_history(1)$$, 'nothing has failed yet');
select claim_id from symphony.claim_batch('{q}', worker => 'w1');
select tap.advance_clock('2 s');
select symphony.nack_with_backoff(tap.newest_claim(), 1, 'ValueError: password=hunter2', 'ValueError',
                                  traceback => e'line 1\ntoken: hunter2');
select results_eq(
    $$select event, replay, attempt, started_at, ended_at, worker, error_class, error, traceback
      from symphony.message_history(1)$$,
    $$values ('retry', 0, 1, '2030-01-01 12:00:00+00'::timestamptz, '2030-01-01 12:00:02+00'::timestamptz,
              'w1', 'ValueError', 'ValueError: password=[redacted]', e'line 1\ntoken: [redacted]')$$,
    'a failed attempt is kept, without secrets'
);
select is(
    (select last_error from symphony.delayed_message),
    'ValueError: password=[redacted]', 'the message has no secrets either'
);

select tap.advance_clock('1 s');
select symphony.tick();
select claim_id from symphony.claim_batch('{q}', worker => 'w2', lease => '10 s');
select tap.pass_time('1 minute');
select symphony.tick();
select results_eq(
    $$select event, attempt, ended_at - started_at, worker, error_class, traceback
      from symphony.message_history(1) offset 1$$,
    $$values ('retry', 2, '10 s'::interval, 'w2', 'LeaseEnded', null)$$,
    'an attempt whose worker vanished is kept, up to the end of its lease'
);
select claim_id from symphony.claim_batch('{q}', worker => 'w3');
select symphony.nack_with_backoff(tap.newest_claim(), 1, 'KeyError: 1', repeat('K', 1000),
                                  traceback => repeat(e'é\n', 100000));
select results_eq(
    $$select event, attempt, worker, length(error_class), octet_length(traceback) between 7990 and 8000
      from symphony.message_history(1) offset 2$$,
    $$values ('failed', 3, 'w3', 200, true)$$,
    'the last attempt is kept, and what is too long is cut'
);
select results_eq(
    $$select reason, attempt, error_class, last_error from symphony.failed_messages()$$,
    $$values ('exhausted', 3, repeat('K', 200), 'KeyError: 1')$$,
    'the message is among the failed ones'
);

-- It is replayed and done: its history is still there, until it is purged.
select results_eq(
    $$select * from symphony.retry_failed('{1}')$$,
    $$values (1::bigint, 'retried', 1::bigint)$$,
    'it is brought back'
);
select is((select count(*) from symphony.message_history(1)), 4::bigint, 'the replay is in its history');
select symphony.ack(claim_id) from symphony.claim_batch('{q}');
select is((select status from symphony.message_status(1)), 'completed', 'it is done');
select is(
    (select array_agg(event) from symphony.message_history(1)),
    '{retry,retry,failed,replayed}', 'what had happened is still known'
);
select tap.advance_clock('2 hours');
select symphony.tick();
select is((select count(*) from symphony.attempt), 0::bigint, 'its history is purged with it');
select is((select count(*) from symphony.replay), 0::bigint, 'its replays are purged with it, too');

-- Cancelled, or dropped with its queue.
select symphony.enqueue('B', queue_name => 'q') from generate_series(1, 3);
select symphony.nack_with_backoff(claim_id, message_id, 'x') from symphony.claim_batch('{q}');
select tap.advance_clock('1 s');
select symphony.tick();
select symphony.cancel(2);
select is(
    (select array_agg(distinct message_id order by message_id) from symphony.attempt),
    '{3,4}', 'a message that is cancelled when it is pending takes its history along'
);
select symphony.nack_with_backoff(claim_id, message_id, 'x') from symphony.claim_batch('{q}', 1);
select symphony.cancel(3);
select is(
    (select array_agg(distinct message_id) from symphony.attempt),
    '{4}', 'a message that is cancelled when it waits for its retry does so, too'
);
select symphony.drop_queue('q', force => true);
select is(
    (select count(*) from symphony.attempt),
    0::bigint, 'all messages that are dropped with their queue do so'
);
select * from finish();
