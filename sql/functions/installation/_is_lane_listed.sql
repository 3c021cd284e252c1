create or replace function symphony._is_lane_listed(accesses text[], lane_id integer)
returns boolean
language plpgsql
stable
as $$
/*
 * A function of its own, since a subquery would cost those something who are not limited.
 */
begin
    return symphony._is_listed(accesses, (
        select lane.queue_name from symphony.lane where lane.lane_id = _is_lane_listed.lane_id));
end;
$$;

comment on function symphony._is_lane_listed is
$$Whether the caller, who is limited to some queues, may use that of a lane.

Arguments  accesses - as for _is_listed()
           lane_id - the lane
Access     private$$;
