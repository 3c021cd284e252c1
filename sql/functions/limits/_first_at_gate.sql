create or replace function symphony._first_at_gate(lane_id integer)
returns bigint
language plpgsql
stable
as $$
begin
    return (
        select min(claim.claim_id)
        from symphony.lane
        cross join lateral (
            select gate.open_claims
            from symphony.gate
            where gate.queue_name = lane.queue_name
            order by gate.gate_id desc
            limit 1
        ) as newest
        join symphony.claim on claim.claim_id = any (newest.open_claims)
        where lane.lane_id = _first_at_gate.lane_id
          and claim.lane_id = _first_at_gate.lane_id);
end;
$$;

comment on function symphony._first_at_gate(integer) is
$$The first claim of a lane that is at the gate of its queue: it is open, or nobody has looked since
at what is parked of its keys.

Arguments  lane_id
Returns    the claim; null: there is no such one
Access     private$$;

revoke execute on function symphony._first_at_gate(integer) from public;
