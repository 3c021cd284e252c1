create or replace function symphony._mark_used_lanes()
returns void
language plpgsql
volatile
as $$
/* Locked lanes are left to the next tick. */
begin
    with free as materialized (
        select lane.lane_id from symphony.lane
        where lane.lane_id in (select lane_use.lane_id from symphony.lane_use)
        for no key update skip locked
    ), used as (
        delete from symphony.lane_use
        where lane_use.lane_id = any (array(select free.lane_id from free))
    )
    update symphony.lane
    set is_used = true,
        expires = lane.expires or exists (
            select from symphony.lane_use where lane_use.lane_id = lane.lane_id and lane_use.expires)
    where lane.lane_id = any (array(select free.lane_id from free));
end;
$$;

comment on function symphony._mark_used_lanes is
$$Mark the lanes of lane_use as used, and those whose messages expire, so that claim_batch() need not
look there.

Writes     symphony.lane, symphony.lane_use
Access     private$$;
