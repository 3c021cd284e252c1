create or replace function symphony._broken_gates()
returns table (invariant text, detail text)
language plpgsql
stable
as $$
begin
    return query
    select 'a parked message waits behind the position', format('message %s', p.message_id)
    from symphony.parked as p
    left join symphony.message as m on m.message_id = p.message_id
    left join symphony.lane as l on l.lane_id = p.lane_id
    left join lateral symphony._position(p.lane_id) as at on true
    where (m.lane_id, m.group_key, l.queue_name) is distinct from (p.lane_id, p.group_key, p.queue_name)
       or symphony._is_ahead(m.txid, m.message_id, at.ahead, at.partial_txid, at.partial_message_id);

    return query
    select 'a parked message is in no hands', format('message %s of claim %s', p.message_id, c.claim_id)
    from symphony.claim as c
    cross join unnest(c.open_ids) as open (message_id)
    join symphony.parked as p on p.message_id = open.message_id
    union all
    select 'a parked message is in no hands', format('message %s is parked twice', p.message_id)
    from symphony.parked as p group by p.message_id having count(*) > 1;

    return query
    select 'a parked message waits for somebody', format('key %s of queue %s', s.group_key, s.queue_name)
    from symphony._stuck_keys(null) as s;

    return query
    select 'a held key has its head', format('key %s of queue %s: message %s', h.group_key, h.queue_name,
                                             h.message_id)
    from symphony.held_key as h
    where not exists (
        select from (
            select m.lane_id, m.group_key
            from symphony.message as m
            cross join lateral symphony._position(m.lane_id) as at
            where m.message_id = h.message_id
              and (symphony._is_ahead(m.txid, m.message_id, at.ahead, at.partial_txid, at.partial_message_id)
                   or exists (select from symphony.parked as p where p.message_id = h.message_id)
                   or exists (select from symphony.claim as c where h.message_id = any (c.open_ids)))
            union all
            select d.lane_id, d.group_key from symphony.delayed_message as d where d.message_id = h.message_id
            union all
            select f.lane_id, f.group_key from symphony.failed_message as f where f.message_id = h.message_id
        ) as head
        join symphony.lane as l on l.lane_id = head.lane_id
        where l.queue_name = h.queue_name and head.group_key = h.group_key)
       or not exists (select from symphony.queue as q where q.queue_name = h.queue_name and q.ordered);

    return query
    select 'an open claim is at its gate', format('claim %s', c.claim_id)
    from symphony.claim as c
    join symphony.lane as l on l.lane_id = c.lane_id
    where l.is_gated and c.open_ids <> '{}' and c.claim_id <> all (coalesce((
        select g.open_claims from symphony.gate as g where g.queue_name = l.queue_name
        order by g.gate_id desc limit 1), '{}'));

    return query
    select 'a claim at a gate is kept', format('claim %s of queue %s', at_gate.claim_id, q.queue_name)
    from symphony.queue as q
    cross join lateral (
        select g.open_claims from symphony.gate as g where g.queue_name = q.queue_name
        order by g.gate_id desc limit 1
    ) as newest
    cross join lateral unnest(newest.open_claims) as at_gate (claim_id)
    where not exists (select from symphony.claim as c where c.claim_id = at_gate.claim_id);

    return query
    select 'a lane knows whether its queue has limits', format('lane %s', l.lane_id)
    from symphony.lane as l
    join symphony.queue as q on q.queue_name = l.queue_name
    where l.is_gated <> symphony._is_gated(q);

    return query
    select 'a gate knows whether something is parked', format('queue %s', q.queue_name)
    from symphony.queue as q
    where exists (select from symphony.parked as p where p.queue_name = q.queue_name)
      and (select g.has_parked from symphony._gate(q.queue_name) as g) is not true;
end;
$$;

comment on function symphony._broken_gates is
$$The invariants of queues that are ordered or have limits, for check().

Access     private$$;
