create or replace function symphony._fate(
    transport        symphony.transport,
    delivery         symphony.message,
    classes          text[],
    inout retryable  boolean,
    inout wait       interval,
    inout is_snoozed boolean,
    out outcome      text,
    out reason       text
)
language plpgsql
stable
as $$
/*
 * As nack_with_backoff() and snooze() decide, for a message that is in no claim.  Its row has the attempts
 * before this one.
 */
declare
    v_now  timestamptz := symphony._now();
    v_rule record;
    v_kind text;
begin
    if retryable is null and wait is null then
        select rule.kind, rule.wait into v_kind, wait
        from symphony._error_rule(delivery.message_type, classes) as rule;
        is_snoozed := coalesce(v_kind = 'snooze', false);
        retryable := v_kind is distinct from 'permanent';
    end if;
    select rule.max_attempts, queue.max_snooze,
           symphony._retry_wait(rule.delay, rule.multiplier, rule.max_delay, rule.jitter, delivery.attempt)
               as wait
    into v_rule
    from symphony.queue
    cross join lateral symphony._retry_rule(
        delivery.message_type, queue.queue_name, delivery.retry) as rule
    where queue.queue_name = transport.queue_name;
    reason := case
        when is_snoozed and v_now >= v_rule.max_snooze + coalesce(
            (select max(replay.replayed_at) from symphony.replay
             where replay.message_id = delivery.message_id), delivery.enqueued_at) then 'expired'
        when is_snoozed then null
        when retryable is false then 'permanent'
        when delivery.attempt >= v_rule.max_attempts then 'lease ended'
        when delivery.attempt + 1 >= v_rule.max_attempts then 'exhausted' end;
    outcome := case when reason is not null then 'failed' when is_snoozed then 'snoozed' else 'retry' end;
    wait := coalesce(wait, v_rule.wait);
end;
$$;

comment on function symphony._fate is
$$What becomes of a delivery that did not succeed.

Arguments  transport - that it came by
           delivery - the message; attempt - the deliveries before this one
           classes - the class of the error, then those it derives from
           retryable - true: a retry may help; false: it cannot; null: the retry policies say
           wait - until it comes back; null: the retry policies say
           is_snoozed - true: it uses no attempt
Returns    retryable, wait, is_snoozed - with what the policies say
           outcome - retry, snoozed or failed
           reason - of a failed one: as in failed_message
Access     private$$;
