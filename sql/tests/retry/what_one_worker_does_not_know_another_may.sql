-- nack_with_backoff: an unknown type or handler is put off, up to max_snooze, unless a policy says
-- otherwise.
select plan(11);

select tap.set_clock('2030-01-01 12:00:00+00');
select symphony.create_queue('q', max_attempts => 1, max_snooze => '90 s');
select symphony.enqueue('A', queue_name => 'q');
create function pg_temp.nack(class text, retryable boolean default null) returns text language sql as $$
    select concat_ws(' ', n.outcome, n.available_at - symphony._now(), n.last_error)
    from symphony.claim_batch('{q}', 1) as c
    cross join lateral symphony.nack_with_backoff(
        c.claim_id, c.message_id, 'no handler', nack.class, nack.retryable) as n
$$;

select is(pg_temp.nack('symphony_pg.handling.handler.UnknownMessageType'), 'snoozed 00:01:00 no handler',
          'an unknown type is put off for a minute');
select results_eq(
    $$select status, attempt, last_error from symphony.message_status(1)$$,
    $$values ('delayed', 0, 'no handler')$$, 'no attempt is used, and it says why it waits'
);
select tap.advance_clock('1 minute');
select symphony.tick();
select is(pg_temp.nack('UnknownHandler'), 'snoozed 00:00:30 no handler',
          'so is an unknown handler, and it comes back once more at the end of max_snooze');
select tap.advance_clock('30 s');
select symphony.tick();
select is(pg_temp.nack('NewerVersion'), 'failed put off for longer than 00:01:30: no handler',
          'nobody knew it for max_snooze: it fails, and says what was missing');
select is((select reason from symphony.failed_message), 'expired', 'it was not tried, but has expired');
select symphony.retry_failed('{1}');
select is(pg_temp.nack('UnknownHandler'), 'snoozed 00:01:00 no handler', 'a replay begins anew');

-- What is said otherwise.
select symphony.set_retry_policy('*', permanent_errors => '{UnknownMessageType}',
                                 snooze_errors => '{"UnknownHandler": "5 s"}');
select symphony.set_retry_policy('B', transient_errors => '{UnknownMessageType}', max_attempts => 2);
select symphony.enqueue('B', queue_name => 'q'), symphony.enqueue('A', queue_name => 'q');
select alike(pg_temp.nack('UnknownMessageType'), 'retry %', 'the policy of the type says: retried');
select is(pg_temp.nack('UnknownMessageType'), 'failed no handler', 'the policy * says: permanent');
select symphony.enqueue('A', queue_name => 'q');
select is(pg_temp.nack('UnknownHandler'), 'snoozed 00:00:05 no handler', 'the policy * says: for 5 seconds');
select symphony.enqueue('A', queue_name => 'q'), symphony.enqueue('A', queue_name => 'q');
select is(pg_temp.nack('UnknownHandler', retryable => false), 'failed no handler', 'the call goes first');
select is(pg_temp.nack('shop.UnknownCustomer'), 'failed no handler', 'other classes are what they were');
select * from finish();
