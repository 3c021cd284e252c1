-- snooze: the message comes back later with no attempt used, until it has been put off for too long.
select plan(18);

select tap.set_clock('2030-01-01 12:00:00+00');

select symphony.create_queue('q', max_attempts => 2, retry_delay => '0 s', max_snooze => '1 hour');
select symphony.enqueue('A', '{"n": 1}', 'q', 7, group_key => 'g', headers => '{"h": 1}');
create temporary table given as
select message_id, message_type, body, headers, group_key, enqueued_at, priority, attempt
from symphony.claim_batch('{q}');
select results_eq(
    $$select * from symphony.snooze(tap.newest_claim(), 1, '10 minutes')$$,
    $$values ('snoozed', '2030-01-01 12:10+00'::timestamptz, null, '{}'::bigint[])$$,
    'a message is put off'
);
select throws_ok(
    $$select * from symphony.snooze(tap.newest_claim(), 1, '10 minutes')$$,
    'SY010', null, 'it is put off once'
);
select is_empty($$select * from symphony.message_history(1)$$, 'a snooze is not a failure');
select results_eq(
    $$select retried, failed, returned, open_ids from symphony.claim where size > 0$$,
    $$values (0, 0, 1, '{}'::bigint[])$$,
    'the claim has given it back'
);
select is((select status from symphony.message_status(1)), 'delayed', 'it waits for its time');
select tap.advance_clock('10 minutes');
select symphony.tick();
create temporary table again as
select message_id, message_type, body, headers, group_key, enqueued_at, priority, attempt
from symphony.claim_batch('{q}');
select is(
    (select again from again)::text,
    (select given from given)::text, 'it comes back as it was, in the same attempt'
);
select is(
    (select available_at
     from symphony.snooze(tap.newest_claim(), 1, until => '2031-01-01', reason => 'closed; token=hunter2')),
    '2030-01-01 13:00+00', 'the end of max_snooze is as far as it goes'
);
select is(
    (select last_error from symphony.message_status(1)),
    'closed; token=[redacted]', 'it says why it waits'
);
select tap.advance_clock('50 minutes');
select symphony.tick();
select claim_id from symphony.claim_batch('{q}');
select results_eq(
    $$select * from symphony.snooze(tap.newest_claim(), 1, '1 minute', reason => 'not yet, token=hunter2')$$,
    $$values ('failed', null::timestamptz, 'put off for longer than 01:00:00: not yet, token=[redacted]',
              '{}'::bigint[])$$,
    'whoever puts it off then gives it up'
);
select results_eq(
    $$select reason, error_class, last_error from symphony.failed_messages('q')$$,
    $$values ('expired', 'SnoozeExpired', 'put off for longer than 01:00:00: not yet, token=[redacted]')$$,
    'it is among the failed ones, and says why'
);
select is((select array_agg(event) from symphony.message_history(1)), '{failed}', 'its history says so, too');

select symphony.retry_failed('{1}');
select claim_id from symphony.claim_batch('{q}');
select is(
    (select outcome from symphony.snooze(tap.newest_claim(), 1, '1 minute')),
    'snoozed', 'a replay begins the time anew'
);
select tap.advance_clock('1 minute');
select symphony.tick();
select claim_id from symphony.claim_batch('{q}');
select is(
    (select outcome from symphony.nack_with_backoff(tap.newest_claim(), 1, 'x')),
    'retry', 'all attempts are still there'
);
select tap.advance_clock('1 s');
select symphony.tick();
select claim_id from symphony.claim_batch('{q}');
select is(
    (select outcome from symphony.snooze(tap.newest_claim(), 1, '0 s')),
    'snoozed', 'it can be put off after a failure, too'
);
select is((select last_error from symphony.message_status(1)), 'x', 'the error is still known');
select tap.advance_clock('1 s');
select symphony.tick();
select is((select attempt from symphony.claim_batch('{q}')), 2, 'no attempt is used');
select is(
    (select outcome from symphony.nack_with_backoff(tap.newest_claim(), 1, 'y')),
    'failed', 'no attempt is gained'
);
select is((select count(*) from symphony.check()), 0::bigint, 'all invariants hold');
select * from finish();
