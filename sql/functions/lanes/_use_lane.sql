create or replace function symphony._use_lane(queue_name text, priority integer)
returns void
language plpgsql
volatile
as $$
/*
 * Each transaction that sees no row adds its own: nobody waits for a row that is not committed yet,
 * or builds on it.
 */
declare
    v_lane_id integer;
begin
    select lane.lane_id into v_lane_id
    from symphony.lane
    where lane.queue_name = _use_lane.queue_name
      and lane.priority = _use_lane.priority
      and not lane.is_used
      and not lane.alone;
    if found and not exists (select from symphony.lane_use where lane_use.lane_id = v_lane_id) then
        insert into symphony.lane_use (lane_id) values (v_lane_id);
    end if;
end;
$$;

comment on function symphony._use_lane is
$$Mark a lane as used, so that claim_batch() looks into it.

Arguments  queue_name
           priority
Writes     symphony.lane_use, unless the lane is marked there or was by tick()
Access     private$$;
