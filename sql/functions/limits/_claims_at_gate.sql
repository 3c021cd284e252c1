create or replace function symphony._claims_at_gate(lane_id integer)
returns bigint[]
language plpgsql
stable
as $$
begin
    return (
        select gate.open_claims
        from symphony.lane
        join symphony.gate on gate.queue_name = lane.queue_name
        where lane.lane_id = _claims_at_gate.lane_id
        order by gate.gate_id desc
        limit 1);
end;
$$;

comment on function symphony._claims_at_gate is
$$The claims at the gate of the queue of a lane, whatever lane they are of: they are open, or nobody
has looked since at what is parked of their keys.

Arguments  lane_id
Returns    their ids; null: the queue has no gate
Access     private$$;
