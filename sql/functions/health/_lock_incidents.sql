create or replace function symphony._lock_incidents(now timestamptz)
returns setof symphony.incident
language plpgsql
stable
as $$
/*
 * A busy queue has its lanes locked all the time, each time for a moment.  Where it may not be seen for how
 * long a session has had a lane, that is as long as a message waits there and nobody has claimed any.
 */
begin
    return query
    select 'critical', case when held.lane_id is null then 'gate_locked' else 'lane_locked' end,
           concat_ws('/', held.queue_name, held.priority),
           format('Queue "%s": its %s has been locked for %s.', held.queue_name,
                  coalesce('lane of priority ' || held.priority, 'gate'),
                  symphony._duration(now - seen.since)),
           seen.since, format('Held by %s.', held.who), held.command
    from symphony._held_locks() as held
    cross join lateral (
        select coalesce(held.since, (
            select greatest(coalesce(head.available_at, head.enqueued_at), claim.claimed_at)
            from symphony._pending(held.lane_id, 1) as head
            join symphony._position(held.lane_id) as position on true
            join symphony.claim on claim.claim_id = position.claim_id)) as since
    ) as seen
    where held.queue_name is not null and seen.since < now - (symphony._thresholds()).locked;
end;
$$;

comment on function symphony._lock_incidents is
$$Lanes and gates that other sessions have locked for longer than a claim takes.

Arguments  now
Access     private$$;
