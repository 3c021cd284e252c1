create or replace function symphony._free_claimed(lane_id integer, claim_id bigint)
returns void
language plpgsql
volatile
as $$
/*
 * A claim that is over stays at the gate until another one has looked at what is parked of its keys.
 */
begin
    insert into symphony.freed_key (queue_name, group_key)
    select distinct lane.queue_name, key.group_key
    from symphony.lane
    cross join lateral (
        select gate.open_claims
        from symphony.gate
        where gate.queue_name = lane.queue_name
        order by gate.gate_id desc
        limit 1
    ) as newest
    join symphony.claim on claim.claim_id = any (newest.open_claims)
    cross join lateral unnest(claim.keys) as key (group_key)
    where lane.lane_id = _free_claimed.lane_id
      and lane.is_gated
      and claim.lane_id = _free_claimed.lane_id
      and claim.claim_id < _free_claimed.claim_id
      and exists (select from symphony.parked
                  where parked.queue_name = lane.queue_name and parked.group_key = key.group_key);
end;
$$;

comment on function symphony._free_claimed(integer, bigint) is
$$Let the keys go of claims that are about to be removed, so that what is parked of them is not
forgotten.

Arguments  lane_id
           claim_id - the claims of the lane before this one
Writes     symphony.freed_key
Access     private$$;

revoke execute on function symphony._free_claimed(integer, bigint) from public;
