create or replace function symphony._message_status(
    inout message_id bigint,
    out queue_name text, out message_type text, out status text, out attempt integer,
    out max_attempts integer, out priority integer, out enqueued_at timestamptz,
    out available_at timestamptz, out claimed_at timestamptz, out finished_at timestamptz,
    out failed_at timestamptz, out worker text, out claim_id bigint, out last_error text,
    out body jsonb, out headers jsonb, out expires_at timestamptz, out group_key text
)
returns setof record
language plpgsql
stable
as $$
#variable_conflict use_column
begin
    return query
    select m.message_id, lane.queue_name, m.message_type,
           case when m.status = 'completed' and symphony._broker_of(lane.queue_name) is not null
                then 'forwarded' else m.status end,
           m.attempt, rule.max_attempts, lane.priority::integer, m.enqueued_at, m.available_at,
           c.claimed_at, c.finished_at, m.failed_at, coalesce(m.worker, c.worker), c.claim_id,
           m.last_error, m.body, m.headers, m.expires_at, m.group_key
    from (
        select d.message_id, d.lane_id, d.message_type, 'delayed' as status, d.attempt::integer,
               d.enqueued_at, d.available_at, null::timestamptz as failed_at, null as worker,
               d.last_error, d.body, d.headers, d.retry, null::bigint as claim_id, d.expires_at,
               d.group_key
        from symphony.delayed_message as d
        where d.message_id = _message_status.message_id
        union all
        select f.message_id, f.lane_id, f.message_type, 'failed', f.attempt::integer, f.enqueued_at,
               null, f.failed_at, f.worker, f.last_error, f.body, f.headers, f.retry, null,
               f.expires_at, f.group_key
        from symphony.failed_message as f
        where f.message_id = _message_status.message_id
        union all
        select l.message_id, l.lane_id, l.message_type, place.status,
               l.attempt + (place.status in ('processing', 'completed'))::integer,
               l.enqueued_at, l.available_at, null, null, l.last_error, l.body, l.headers, l.retry,
               c.claim_id, l.expires_at, l.group_key
        from symphony.message as l
        cross join lateral (
            select symphony._is_ahead(l.txid, l.message_id, p.ahead, p.partial_txid, p.partial_message_id)
                       as is_ahead
            from symphony._position(l.lane_id) as p
        ) as at
        cross join lateral (
            select at.is_ahead, not at.is_ahead and exists (
                       select from symphony.parked where parked.message_id = l.message_id) as is_parked
        ) as was
        left join symphony.claim as c
            on c.claim_id = case
                when not was.is_ahead and not was.is_parked
                then symphony._claim_with(l.lane_id, l.txid, l.message_id, l.group_key)
            end
        cross join lateral (
            select case
                when was.is_parked then 'waiting'
                when was.is_ahead then 'pending'
                when l.message_id = any (c.open_ids) then 'processing'
                when c.size = 0 and c.keys is null then 'removed'
                else 'completed'
            end as status
        ) as place
        where l.message_id = _message_status.message_id
    ) as m
    join symphony.lane on lane.lane_id = m.lane_id
    cross join lateral symphony._retry_rule(m.message_type, lane.queue_name, m.retry) as rule
    left join symphony.claim as c on c.claim_id = m.claim_id;
end;
$$;

comment on function symphony._message_status is
$$Where a message is and what happened to it, whoever asks.

Arguments  message_id
Returns    as message_status() does
Access     private$$;
