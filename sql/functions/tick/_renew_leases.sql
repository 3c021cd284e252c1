create or replace function symphony._renew_leases(from_time timestamptz, now timestamptz)
returns boolean
language plpgsql
volatile
as $$
/*
 * That nobody could settle is no sign that a worker is gone.  Those that are still there say so
 * within another lease, or the 10 seconds that it may take to connect again; those that are not have
 * no second one.
 */
declare
    v_renewed integer;
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
        limit 10000
        for no key update of claim skip locked
    )
    update symphony.claim
    set lease_until = _renew_leases.now + greatest(held.lease, '10 seconds'),
        renewed_at  = _renew_leases.now
    from held
    where claim.claim_id = held.claim_id;
    get diagnostics v_renewed = row_count;
    return v_renewed < 10000;
end;
$$;

comment on function symphony._renew_leases is
$$Begin leases anew that ended while nobody ticked, each once until its worker renews it. They last as
long as the queue says, and 10 seconds at least.

Arguments  from_time - of the last tick before
           now - of the first tick after
Returns    true: nothing is left; false: 10,000 were begun anew, and others may be left
Writes     symphony.claim
Access     private$$;
