create or replace function symphony._has_pending(
    lane_ids integer[],
    within   int8multirange default '{(,9223372036854775807)}'
)
returns boolean
language plpgsql
stable
as $$
/*
 * It is in a language that is not inlined: a claim asks only if there are other lanes, and would pay for
 * the start of this plan each time.
 */
begin
    return exists (
            select from unnest(lane_ids) as lane_id, symphony._pending(lane_id, 1, _has_pending.within))
        or exists (
            select from symphony.lane
            join symphony.parked on parked.queue_name = lane.queue_name
            where lane.lane_id = any (lane_ids) and lane.is_gated);
end;
$$;

comment on function symphony._has_pending is
$$Whether any of these lanes has a message to hand out, or one that waits for its key.

Arguments  lane_ids
           within - only messages of these transactions
Access     private$$;
