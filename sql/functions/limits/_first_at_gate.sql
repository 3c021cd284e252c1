create or replace function symphony._first_at_gate(lane_id integer)
returns bigint
language plpgsql
stable
as $$
begin
    return (
        select min(at_gate.claim_id)
        from unnest(symphony._claims_at_gate(lane_id)) as at_gate (claim_id)
        where (select claim.lane_id from symphony.claim
               where claim.claim_id = at_gate.claim_id) = _first_at_gate.lane_id);
end;
$$;

comment on function symphony._first_at_gate is
$$The first claim of a lane that is at the gate of its queue: it is open, or nobody has looked since
at what is parked of its keys.

Arguments  lane_id
Returns    the claim; null: there is no such one
Access     private$$;
