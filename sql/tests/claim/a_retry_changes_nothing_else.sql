-- nack_with_backoff: the message that comes back, or lies among the dead, is the one that was enqueued.
select plan(14);

select tap.set_clock('2030-01-01 12:00:00+00');

select symphony.create_queue('q', max_attempts => 2, retry_delay => '0 s', retry_jitter => 0);
select symphony.enqueue('Ü', '[1, {"a": null}]', 'q', 8, group_key => 'g', headers => '{"h": "ü"}');
create temporary table given as
select message_id, message_type, body, headers, group_key, enqueued_at
from symphony.claim_batch('{q}');

select results_eq(
    $$select outcome, available_at
      from symphony.nack_with_backoff(tap.newest_claim(), 1, null, retry_after => '1 minute')$$,
    $$values ('retry', '2030-01-01 12:01:00+00'::timestamptz)$$,
    'the outcome and its time are told'
);
select throws_ok(
    $$select symphony.nack_with_backoff(tap.newest_claim(), 1, 'x')$$,
    'SY010', null, 'a message is settled once'
);
select throws_ok(
    $$select symphony.ack(tap.newest_claim())$$,
    'SY010', null, 'it is settled once in whatever way'
);
select is(
    (select last_error from symphony.message_status(1)),
    '(no error text)', 'a message that failed always has an error'
);
select tap.advance_clock('1 minute');
select symphony.tick();
create temporary table again as select * from symphony.claim_batch('{q}');
select is(
    (select row(message_id, message_type, body, headers, group_key, enqueued_at) from again)::text,
    (select given from given)::text, 'it comes back as it was'
);
select results_eq(
    $$select attempt, max_attempts, priority from again$$,
    $$values (2, 2, 8)$$,
    'it is in its lane and its next attempt'
);
select throws_ok(
    $$select symphony.nack_with_backoff(tap.newest_claim(), 1, 'x', retry_after => '101 years')$$,
    '22023', null, 'a wait is no longer than 100 years'
);
select throws_ok(
    $$select symphony.nack_with_backoff(tap.newest_claim(), null, 'x')$$,
    'SY010', null, 'null is not a message'
);
select is(
    (select open_ids from symphony.claim where claim_id = tap.newest_claim()),
    '{1}', 'the message is still open after a refusal'
);
select results_eq(
    $$select outcome, available_at
      from symphony.nack_with_backoff(tap.newest_claim(), 1, repeat('x', 100000), 'Boom',
                                      retry_after => '1 s')$$,
    $$values ('failed', null::timestamptz)$$,
    'the last attempt has no next time, whatever the handler wishes'
);
select is(
    (select row(message_id, message_type, body, headers, group_key, enqueued_at)
     from symphony.failed_message)::text,
    (select given from given)::text, 'a dead message is as it was'
);
select results_eq(
    $$select reason, attempt, error_class, octet_length(last_error) from symphony.failed_overview$$,
    $$values ('exhausted', 2::smallint, 'Boom', 8000)$$,
    'it has the end of the error'
);

-- A wait of nothing, and a limit that was lowered meanwhile.
select symphony.enqueue('B', queue_name => 'q');
select tap.advance_clock('1 second');
select symphony.nack_with_backoff(claim_id, message_id, 'x') from symphony.claim_batch('{q}');
select is(
    (select status from symphony.message_status((select max(message_id) from symphony.message))),
    'pending', 'a message that has no wait is back at once, and needs no tick'
);
select symphony.configure_queue('q', max_attempts => 1);
select is(
    (select (symphony.nack_with_backoff(claim_id, message_id, 'x')).outcome from symphony.claim_batch('{q}')),
    'failed', 'a limit that was lowered counts at once'
);
select * from finish();
