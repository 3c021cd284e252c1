create or replace function symphony.nack_with_backoff(
    claim_id     bigint,
    message_id   bigint,
    error        text,
    error_class  text default null,
    retryable    boolean default null,
    retry_after  interval default null,
    traceback    text default null,
    error_bases  text[] default null,
    out outcome  text,
    out available_at timestamptz,
    out last_error text,
    out returned bigint[]
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
declare
    v_ids   bigint[] := symphony._hold_claim(claim_id, array[nack_with_backoff.message_id]);
    v_now   timestamptz := symphony._now();
    v_rule  record;
    v_kind  text;
begin
    returned := '{}';
    last_error := symphony._sanitized(coalesce(error, '(no error text)'));
    error_class := left(error_class, 200);
    if retry_after < '0' or retry_after > '100 years' then
        raise exception 'retry_after must be between 0 and 100 years, not %', retry_after
            using errcode = '22023',
                  detail  = 'The message is still open in its claim.',
                  hint    = 'Leave it out to wait as long as the retry policy says.';
    end if;
    if retryable is null and retry_after is null then
        select rule.kind, rule.wait into v_kind, retry_after
        from symphony.message
        cross join lateral symphony._error_rule(message.message_type, error_class || error_bases) as rule
        where message.message_id = nack_with_backoff.message_id;
        if v_kind = 'snooze' then
            select s.* into outcome, available_at, last_error, returned
            from symphony.snooze(claim_id, nack_with_backoff.message_id, retry_after,
                                 reason => last_error) as s;
            update symphony.delayed_message as d
            set error_class = nack_with_backoff.error_class
            where d.message_id = nack_with_backoff.message_id;
            return;
        end if;
        retryable := v_kind is distinct from 'permanent';
    end if;
    select message.attempt + 1 as attempt, rule.max_attempts,
           symphony._retry_wait(rule.delay, rule.multiplier, rule.max_delay, rule.jitter, message.attempt)
               as wait,
           lane.is_gated, message.expires_at
    into v_rule
    from symphony.message
    join symphony.lane on lane.lane_id = message.lane_id
    cross join lateral symphony._retry_rule(
        message.message_type, lane.queue_name, message.retry) as rule
    where message.message_id = nack_with_backoff.message_id;

    outcome := case when retryable is not false and v_rule.attempt < v_rule.max_attempts
                    then 'retry' else 'failed' end;
    if v_rule.is_gated then
        returned := symphony._hold_back(claim_id, nack_with_backoff.message_id, outcome = 'failed');
    end if;
    if outcome = 'retry' then
        available_at := least(v_now + coalesce(retry_after, v_rule.wait), v_rule.expires_at);
        perform symphony._record_attempt(
            v_ids, 'retry', nack_with_backoff.last_error, error_class, traceback, nack_with_backoff.claim_id);
        perform symphony._put_off(nack_with_backoff.message_id, available_at, available_at - v_now,
                                  v_rule.attempt, nack_with_backoff.last_error, error_class);
        perform symphony._settle(nack_with_backoff.claim_id, v_ids, retried => 1);
    else
        perform symphony._fail(
            v_ids, case when retryable is false then 'permanent' else 'exhausted' end,
            nack_with_backoff.last_error, error_class, nack_with_backoff.claim_id, traceback);
        perform symphony._settle(nack_with_backoff.claim_id, v_ids, failed => 1);
    end if;
end;
$$;

comment on function symphony.nack_with_backoff is
$$Settle a message of a live claim that could not be done: it comes back later, or has failed for
good. The retry policies decide which, by the class of the error, unless retryable or retry_after
does. A message that this worker does not know is reported with the class UnknownMessageType or
UnknownHandler: another worker may know it, so it is snoozed for a minute, see snooze().

Arguments  claim_id - from claim_batch()
           message_id - from claim_batch()
           error - what happened, for people. Its last 8,000 bytes are kept, without secrets
           error_class - a name to group by, and to find among the classes of the retry policies
           retryable - true: a retry may help; false: it cannot; null: the retry policies say
           retry_after - how long the message waits; null: longer with each attempt, see
               retry_policy_of()
           traceback - where it happened. It is kept like error
           error_bases - the classes that error_class derives from, nearest first
Returns    outcome - retry, snoozed, or failed: its attempts are used up, or it is not retryable
           available_at - when it comes back, or expires
           last_error - what is kept of error: log this
           returned - messages of the claim that were given back with it, since they follow it in
               an ordered queue: do not work on them
Raises     SY010 lease_lost - the lease ended, or the message is already settled
           SY013 message_returned - one before it of its key did not succeed
           22023 invalid_parameter_value
Writes     symphony.message, symphony.delayed_message or symphony.failed_message, symphony.claim,
           symphony.attempt, and what _hold_back() writes; NOTIFY if it is due at once and a worker
           sleeps
Access     consumer$$;
