create or replace function symphony._use_lane(queue_name text, priority integer)
returns void
language plpgsql
volatile
as $$
/*
 * Whoever finds the row locked leaves it: somebody is marking the lane right now.  Should that
 * one roll back, tick() marks it.
 */
begin
    update symphony.lane
    set is_used = true
    where lane.lane_id = any (array(
        select unused.lane_id
        from symphony.lane as unused
        where unused.queue_name = _use_lane.queue_name
          and unused.priority = _use_lane.priority
          and not unused.is_used
          and not unused.alone
        for update skip locked));
end;
$$;

comment on function symphony._use_lane(text, integer) is
$$Mark a lane as used, so that claim_batch() looks into it.

Arguments  queue_name, priority
Writes     symphony.lane, the first time
Access     private$$;

revoke execute on function symphony._use_lane(text, integer) from public;
