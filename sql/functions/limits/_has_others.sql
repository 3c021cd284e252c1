create or replace function symphony._has_others(queue_name text, others integer[], has_room boolean)
returns boolean
language plpgsql
volatile
as $$
begin
    if cardinality(others) = 0 then
        return false;
    end if;
    return symphony._has_pending(array(
        select lane.lane_id from symphony.lane
        where lane.lane_id = any (others) and (has_room or lane.queue_name <> _has_others.queue_name)
    ), symphony._finished_transactions());
end;
$$;

comment on function symphony._has_others is
$$Whether other lanes have something to hand out after a claim.

Arguments  queue_name - of the claim, which has limits
           others - the lanes
           has_room - false: its queue may hand out no more
Access     private$$;
