create or replace function symphony._old_lanes(now timestamptz)
returns table (lane_id integer, before timestamptz)
language plpgsql
stable
as $$
/*
 * A purge leaves the last claim that is over, and notes it.  So a lane has something to purge if the
 * claim after that one is over, too, and has been for as long as the queue says.  One at the gate stays,
 * and then there may be messages at most.
 */
begin
    return query
    select old.lane_id, old.before
    from (
        select lane.lane_id, _old_lanes.now - queue.retention as before, p.txid, p.message_id, next.claim_id
        from symphony.lane
        join symphony.queue on queue.queue_name = lane.queue_name
        join symphony.purge_position as p on p.lane_id = lane.lane_id
        cross join lateral (
            select claim.claim_id, claim.open_ids, claim.finished_at
            from symphony.claim
            where claim.lane_id = lane.lane_id and claim.claim_id > p.claim_id
            order by claim.claim_id
            limit 1
        ) as next
        where lane.is_used
          and next.open_ids = '{}'
          and next.finished_at < _old_lanes.now - queue.retention
        offset 0    -- the gate is looked for where something is old
    ) as old
    where (old.claim_id < symphony._first_at_gate(old.lane_id)) is not false or exists (
        select from symphony.message as m
        where m.lane_id = old.lane_id and (m.txid, m.message_id) > (old.txid, old.message_id));
end;
$$;

comment on function symphony._old_lanes is
$$The lanes that have something to purge, as far as one look at each can tell.

Arguments  now
Returns    lane_id
           before - the end of the retention
Access     private$$;
