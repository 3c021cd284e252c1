create or replace function symphony._use_lanes(lane_ids integer[])
returns void
language plpgsql
volatile
as $$
begin
    perform symphony._use_lane(lane.queue_name, lane.priority)
    from symphony.lane
    where lane.lane_id = any (_use_lanes.lane_ids) and not lane.is_used;
end;
$$;

comment on function symphony._use_lanes is
$$Mark lanes as used, so that claim_batch() looks into them.

Arguments  lane_ids - null: does nothing
Writes     symphony.lane_use, as _use_lane() does
Access     private$$;
