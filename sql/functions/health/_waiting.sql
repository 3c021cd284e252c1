create or replace function symphony._waiting()
returns table (queue_name text, is_held boolean, since timestamptz, claimed_at timestamptz)
language plpgsql
stable
as $$
#variable_conflict use_column
begin
    return query
    select lane.queue_name, lane.is_held, coalesce(head.available_at, head.enqueued_at), newest.claimed_at
    from symphony.lane
    cross join lateral symphony._pending(lane.lane_id, 1) as head
    left join lateral (
        select claim.claimed_at
        from symphony.claim
        where claim.lane_id <= lane.lane_id    -- as in _position()
        order by claim.lane_id desc, claim.claim_id desc
        limit 1
    ) as newest on true
    where lane.is_used or exists (select from symphony.lane_use);
end;
$$;

comment on function symphony._waiting is
$$The lanes of which messages are pending.

Returns    queue_name, is_held - of the lane
           since - since when the first message has been due
           claimed_at - when something was claimed last
Access     private$$;
