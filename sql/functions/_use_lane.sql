create or replace function symphony._use_lane(queue_name text, priority integer)
returns void
language plpgsql
volatile
as $$
/*
 * A row of its own for each transaction: nobody waits for one that is not committed yet.
 */
begin
    insert into symphony.lane_use (lane_id)
    select lane.lane_id
    from symphony.lane
    where lane.queue_name = _use_lane.queue_name
      and lane.priority = _use_lane.priority
      and not lane.is_used
      and not lane.alone;
end;
$$;

comment on function symphony._use_lane(text, integer) is
$$Mark a lane as used, so that claim_batch() looks into it.

Arguments  queue_name, priority
Writes     symphony.lane_use, until tick() has marked the lane
Access     private$$;

revoke execute on function symphony._use_lane(text, integer) from public;
