create or replace function symphony.snooze(
    claim_id     bigint,
    message_id   bigint,
    delay        interval default null,
    until        timestamptz default null,
    reason       text default null,
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
    v_ids  bigint[] := symphony._hold_claim(claim_id, array[snooze.message_id]);
    v_now  timestamptz := symphony._now();
    v_rule record;
begin
    if num_nonnulls(delay, until) <> 1
       or not coalesce(delay between '0' and '100 years', isfinite(until))
    then
        raise exception 'a message is snoozed for a delay between 0 and 100 years, or until a moment'
            using errcode = '22023',
                  detail  = 'The message is still open in its claim.',
                  hint    = 'Give delay => ''1 hour'', or until => now() + interval ''1 hour''.';
    end if;
    select message.attempt, queue.max_snooze, queue.max_snooze + coalesce(
               (select max(replay.replayed_at) from symphony.replay
                where replay.message_id = snooze.message_id), message.enqueued_at) as end_at,
           lane.is_gated, message.expires_at
    into v_rule
    from symphony.message
    join symphony.lane on lane.lane_id = message.lane_id
    join symphony.queue on queue.queue_name = lane.queue_name
    where message.message_id = snooze.message_id;

    returned := '{}';
    if v_rule.is_gated then
        returned := symphony._hold_back(claim_id, snooze.message_id, v_now >= v_rule.end_at);
    end if;
    last_error := symphony._sanitized(nullif(reason, ''));
    if v_now >= v_rule.end_at then
        outcome := 'failed';
        last_error := symphony._sanitized(
            concat_ws(': ', 'put off for longer than ' || v_rule.max_snooze, last_error));
        perform symphony._fail(
            v_ids, 'expired', snooze.last_error, 'SnoozeExpired', snooze.claim_id);
        perform symphony._settle(snooze.claim_id, v_ids, failed => 1);
        return;
    end if;
    outcome := 'snoozed';
    available_at := least(coalesce(until, v_now + delay), v_rule.end_at, v_rule.expires_at);
    perform symphony._put_off(snooze.message_id, available_at, delay, v_rule.attempt,
                              snooze.last_error, null);
    perform symphony._settle(snooze.claim_id, v_ids, returned => 1);
end;
$$;

comment on function symphony.snooze is
$$Settle a message of a live claim whose time has not come: it comes back later, and no attempt is
used. It can be put off until the queue's max_snooze has passed since it was enqueued or last
replayed. At that moment it is handed out once more, and if it is snoozed again, it fails.

Arguments  claim_id - from claim_batch()
           message_id - from claim_batch()
           delay - how long from now it waits; give this or until
           until - when it comes back; give this or delay
           reason - why, for people. It is kept in place of the last error
Returns    outcome - snoozed, or failed when it was put off for too long
           available_at - when it comes back, or expires
           last_error - the reason without secrets: log this
           returned - messages of the claim that were given back with it, since they follow it in an
               ordered queue: do not work on them
Raises     SY010 lease_lost - the lease ended, or the message is already settled
           SY013 message_returned - one before it of its key did not succeed
           22023 invalid_parameter_value
Writes     symphony.message, symphony.delayed_message or symphony.failed_message, symphony.claim,
           and what _hold_back() writes; NOTIFY if it is due at once and a worker sleeps
Access     consumer$$;
