create or replace function symphony._waiting()
returns table (queue_name text, since timestamptz, claimed_at timestamptz)
language plpgsql
stable
as $$
#variable_conflict use_column
begin
    return query
    select lane.queue_name, min(coalesce(head.available_at, head.enqueued_at)), max(newest.claimed_at)
    from symphony.lane
    left join lateral symphony._pending(lane.lane_id, 1) as head on true
    left join lateral (
        select claim.claimed_at
        from symphony.claim
        where claim.lane_id <= lane.lane_id    -- as in _position()
        order by claim.lane_id desc, claim.claim_id desc
        limit 1
    ) as newest on true
    where lane.is_used or exists (select from symphony.lane_use)
    group by lane.queue_name
    having count(head.message_id) > 0;
end;
$$;

comment on function symphony._waiting() is
$$The queues of which messages are pending.

Returns    queue_name
           since - since when the first of them has been due
           claimed_at - when something was claimed last
Access     private$$;

revoke execute on function symphony._waiting() from public;
