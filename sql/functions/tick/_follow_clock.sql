create or replace function symphony._follow_clock(ahead_by interval, now timestamptz, schedule_name text)
returns text
language plpgsql
volatile
as $$
/*
 * Moments that were counted from a time that has not come yet are counted from now.  What was meant
 * to wait for a moment waits for it, and what was done keeps the time at which it was done.
 *
 * Each part is done in portions, and what is right already is not counted again.
 */
declare
    c_most  constant integer := 10000;
    v_moved integer;
begin
    with held as materialized (
        select claim.claim_id, _follow_clock.now + queue.lease as least_until
        from symphony.claim
        join symphony.lane on lane.lane_id = claim.lane_id
        join symphony.queue on queue.queue_name = lane.queue_name
        where claim.lease_until > _follow_clock.now    -- this one is for the index
          and claim.lease_until > _follow_clock.now + queue.lease
          and claim.open_ids <> '{}'
          and (claim.renewed_at > _follow_clock.now) is not false
        limit c_most
        for no key update of claim skip locked
    )
    update symphony.claim
    set lease_until = greatest(claim.lease_until - ahead_by, held.least_until),
        renewed_at  = _follow_clock.now
    from held
    where claim.claim_id = held.claim_id;
    get diagnostics v_moved = row_count;
    if v_moved >= c_most then return ''; end if;

    with early as materialized (
        select known.worker from symphony.worker as known
        where known.seen_at > _follow_clock.now
        limit c_most
        for no key update skip locked
    )
    update symphony.worker as known
    set seen_at = _follow_clock.now, started_at = least(known.started_at, _follow_clock.now)
    where known.worker = any (array(select early.worker from early));
    get diagnostics v_moved = row_count;
    if v_moved >= c_most then return ''; end if;
    delete from symphony.tick where tick.ticked_at > _follow_clock.now;

    with early as materialized (
        select d.message_id
        from symphony.delayed_message as d
        where d.available_at > _follow_clock.now + d.wait
        limit c_most
        for update skip locked
    )
    update symphony.delayed_message as d
    set available_at = _follow_clock.now + d.wait
    where d.message_id = any (array(select early.message_id from early));
    get diagnostics v_moved = row_count;
    if v_moved >= c_most then return ''; end if;

    with early as materialized (
        select k.pace_id, k.queue_name, k.group_key,
               symphony._full_at(queue.key_rate, null, k.full_at, _follow_clock.now, 0) as full_at
        from symphony.key_pace as k
        join symphony.queue on queue.queue_name = k.queue_name
        where k.full_at > symphony._full_at(queue.key_rate, null, k.full_at, _follow_clock.now, 0)
           or k.next_at > symphony._full_at(queue.key_rate, null, k.full_at, _follow_clock.now, 0)
        limit c_most
        for no key update of k skip locked
    )
    update symphony.key_pace as k
    set full_at = early.full_at,
        next_at = case when k.next_at is not null then least(k.next_at, early.full_at) end
    from early
    where k.queue_name = early.queue_name and k.group_key = early.group_key and k.pace_id = early.pace_id;
    get diagnostics v_moved = row_count;
    if v_moved >= c_most then return ''; end if;
    return symphony._follow_clock_schedules(_follow_clock.now, _follow_clock.schedule_name);
end;
$$;

comment on function symphony._follow_clock is
$$Set right what was counted from a clock that was ahead: leases, when workers were seen, retries and
other waits, the rates of keys, schedules.

Arguments  ahead_by - how far it was set back
           now
           schedule_name - what the last call returned
Returns    null: nothing is left; else 10,000 of a kind or 1,000 schedules are set right, and others
               may be left: the last schedule that is, or empty
Writes     symphony.claim, symphony.worker, symphony.tick, symphony.delayed_message,
           symphony.key_pace, symphony.schedule
Access     private$$;
