create or replace function symphony._lane_settings(lane_id integer)
returns table (
    queue_name text, priority smallint, alone boolean, lease interval,
    max_attempts integer, by_type boolean, is_gated boolean,
    expires boolean, ahead int8multirange, partial_txid bigint, partial_message_id bigint
)
language sql
stable
as $$
    /* While lane_use names any lane with messages that expire, all may have some: tick() will soon have
       marked it.  Lanes for single messages are few, and not marked. */
    select lane.queue_name, lane.priority, lane.alone, queue.lease,
           coalesce(queue.max_attempts, (
               select retry_policy.max_attempts from symphony.retry_policy
               where retry_policy.pattern operator(pg_catalog.=) '*')),
           exists (select from symphony.retry_policy
                   where retry_policy.pattern operator(pg_catalog.<>) '*'),
           lane.is_gated,
           lane.expires or lane.alone or exists (select from symphony.lane_use where lane_use.expires),
           position.ahead, position.partial_txid, position.partial_message_id
    from symphony.lane
    join symphony.queue on queue.queue_name operator(pg_catalog.=) lane.queue_name
    cross join lateral (    -- as in _position()
        select claim.ahead, claim.partial_txid, claim.partial_message_id
        from symphony.claim
        where claim.lane_id operator(pg_catalog.<=) _lane_settings.lane_id
        order by claim.lane_id desc, claim.claim_id desc
        limit 1
    ) as position
    where lane.lane_id operator(pg_catalog.=) _lane_settings.lane_id
$$;

comment on function symphony._lane_settings is
$$What a claim has to know of its lane and queue, and how far the lane has been handed out.

Arguments  lane_id
Returns    max_attempts - unless a message or its type has others
           by_type - true: some type may have others
           is_gated - true: the queue is ordered or has limits
           expires - true: messages that expire may be in it. Whoever asks after finding out which
               transactions have ended learns of all of theirs
           ahead, partial_txid, partial_message_id - as _position() says
Access     private$$;
