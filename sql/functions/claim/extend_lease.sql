create or replace function symphony.extend_lease(
    claim_ids bigint[],
    lease     interval default null
)
returns setof bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
begin
    if lease < '100 milliseconds' or lease > '1 day' then
        raise exception 'lease must be between 100 milliseconds and 1 day, not %', lease
            using errcode = '22023',
                  detail  = 'No lease was changed.',
                  hint    = 'Leave it out to take the lease of the queue.';
    end if;
    return query
    update symphony.claim
    set lease_until = symphony._now() + coalesce(extend_lease.lease, (
            select queue.lease
            from symphony.lane
            join symphony.queue on queue.queue_name = lane.queue_name
            where lane.lane_id = claim.lane_id)),
        renewed_at = null
    where claim.claim_id = any (extend_lease.claim_ids)
      and (claim.lease_until > symphony._now()
           or claim.lease_until > symphony._lapsed_until(symphony._now()))
      and claim.open_ids <> '{}'
      and (not symphony._is_limited() or symphony._is_lane_listed('{consumer}', claim.lane_id))
    returning claim.claim_id;
end;
$$;

comment on function symphony.extend_lease is
$$Hold claims for longer: their leases end so long from now.

Arguments  claim_ids - from claim_batch()
           lease - how long from now; null: as long as the queue says
Returns    the claims that are still held. Stop working on the messages of the others
Raises     22023 invalid_parameter_value
Writes     symphony.claim (updates their rows)
Access     consumer$$;
