create or replace function symphony._filled_lanes(lane_ids integer[])
returns integer[]
language plpgsql
stable
as $$
/*
 * A worker of a thousand queues asks for this every few seconds, and nearly always there is nothing:
 * so one statement looks at the start of each position, and leaves the exact look to the claim.
 */
begin
    return array(
        select lane.lane_id
        from unnest(_filled_lanes.lane_ids) with ordinality as lane (lane_id, place)
        cross join lateral (
            select lower(claim.ahead) as first_txid
            from symphony.claim
            where claim.lane_id <= lane.lane_id    -- as in _position()
            order by claim.lane_id desc, claim.claim_id desc
            limit 1
        ) as position
        where exists (
            select from symphony.message
            where message.lane_id = lane.lane_id and message.txid >= position.first_txid)
           or lane.lane_id = any (array(
                select gated.lane_id
                from symphony.lane as gated
                where gated.is_gated
                  and exists (select from symphony.parked where parked.queue_name = gated.queue_name)))
        order by lane.place);
end;
$$;

comment on function symphony._filled_lanes is
$$Those of many lanes that may have something to hand out, at little cost for the others.

Arguments  lane_ids - best first
Returns    all that have something, in their order; and some that only seem to
Access     private$$;
