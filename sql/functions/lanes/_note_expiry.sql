create or replace function symphony._note_expiry(lane_ids integer[])
returns void
language plpgsql
volatile
as $$
/*
 * As in _use_lane() nobody waits: whoever sees no row adds one.
 */
begin
    insert into symphony.lane_use (lane_id, expires)
    select lane.lane_id, true
    from symphony.lane
    where lane.lane_id = any (_note_expiry.lane_ids)
      and not lane.expires
      and not exists (
          select from symphony.lane_use where lane_use.lane_id = lane.lane_id and lane_use.expires);
end;
$$;

comment on function symphony._note_expiry is
$$Mark lanes as such with messages that expire, so that claims look for those that are late.

Arguments  lane_ids - null: does nothing
Writes     symphony.lane_use, unless the lane is marked there or was by tick()
Access     private$$;
