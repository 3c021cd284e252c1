create or replace function symphony._renew_leases(from_time timestamptz, now timestamptz)
returns void
language plpgsql
volatile
as $$
/*
 * That nobody could settle is no sign that a worker is gone.  Those that are still there say so
 * within another lease, or the 10 seconds that it may take to connect again; those that are not have
 * no second one.
 */
begin
    with held as materialized (
        select claim.claim_id, queue.lease
        from symphony.claim
        join symphony.lane on lane.lane_id = claim.lane_id
        join symphony.queue on queue.queue_name = lane.queue_name
        where claim.lease_until > from_time
          and claim.lease_until <= _renew_leases.now
          and claim.open_ids <> '{}'
          and claim.renewed_at is null
        for no key update of claim skip locked
    )
    update symphony.claim
    set lease_until = _renew_leases.now + greatest(held.lease, '10 seconds'),
        renewed_at  = _renew_leases.now
    from held
    where claim.claim_id = held.claim_id;
end;
$$;

comment on function symphony._renew_leases(timestamptz, timestamptz) is
$$Begin leases anew that ended while nobody ticked, each once until its worker renews it. They last as
long as the queue says, and 10 seconds at least.

Arguments  from_time - of the last tick before
           now - of the first tick after
Writes     symphony.claim
Access     private$$;

revoke execute on function symphony._renew_leases(timestamptz, timestamptz) from public;
