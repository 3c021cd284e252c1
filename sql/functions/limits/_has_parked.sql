create or replace function symphony._has_parked(lane_id integer)
returns boolean
language plpgsql
stable
as $$
begin
    return exists (
        select from symphony.lane
        join symphony.parked on parked.queue_name = lane.queue_name
        where lane.lane_id = _has_parked.lane_id and lane.is_gated);
end;
$$;

comment on function symphony._has_parked is
$$Whether messages of the queue of a lane are parked.

Arguments  lane_id
Access     private$$;
