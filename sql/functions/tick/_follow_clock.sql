create or replace function symphony._follow_clock(ahead_by interval, now timestamptz)
returns boolean
language plpgsql
volatile
as $$
/*
 * Moments that were counted from a time that has not come yet are counted from now.  What was meant
 * to wait for a moment waits for it, and what was done keeps the time at which it was done.
 */
declare
    v_schedule symphony.schedule;
    v_moved    integer;
begin
    with held as materialized (
        select claim.claim_id, _follow_clock.now + queue.lease as least_until
        from symphony.claim
        join symphony.lane on lane.lane_id = claim.lane_id
        join symphony.queue on queue.queue_name = lane.queue_name
        where claim.lease_until > _follow_clock.now + queue.lease and claim.open_ids <> '{}'
        for no key update of claim skip locked
    )
    update symphony.claim
    set lease_until = greatest(claim.lease_until - ahead_by, held.least_until)
    from held
    where claim.claim_id = held.claim_id;
    update symphony.worker
    set seen_at = _follow_clock.now, started_at = least(worker.started_at, _follow_clock.now)
    where worker.seen_at > _follow_clock.now;
    delete from symphony.tick where tick.ticked_at > _follow_clock.now;

    for v_schedule in
        select s.* from symphony.schedule as s where s.enabled
        order by s.schedule_name
        for update skip locked
    loop
        begin
            update symphony.schedule as s
            set next_run_at = least(s.next_run_at, symphony._next_run(s, _follow_clock.now))
            where s.schedule_name = v_schedule.schedule_name;
        exception when invalid_parameter_value then
            null;    -- it is disabled when it is due
        end;
    end loop;

    with early as materialized (
        select d.message_id
        from symphony.delayed_message as d
        where d.available_at > _follow_clock.now + d.wait
        limit 10000
        for update skip locked
    )
    update symphony.delayed_message as d
    set available_at = _follow_clock.now + d.wait
    where d.message_id = any (array(select early.message_id from early));
    get diagnostics v_moved = row_count;
    return v_moved < 10000;
end;
$$;

comment on function symphony._follow_clock(interval, timestamptz) is
$$Set right what was counted from a clock that was ahead: leases, retries and other waits, schedules,
when workers were seen.

Arguments  ahead_by - how far it was set back
           now
Returns    true: nothing is left; false: 10,000 waits are set right, and others may be left
Writes     symphony.claim, symphony.worker, symphony.tick, symphony.schedule,
           symphony.delayed_message
Access     private$$;

revoke execute on function symphony._follow_clock(interval, timestamptz) from public;
