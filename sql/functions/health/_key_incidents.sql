create or replace function symphony._key_incidents(now timestamptz)
returns setof symphony.incident
language plpgsql
stable
as $$
/* Of ten thousand keys that are held, the ten that have been for the longest. */
begin
    return query
    select 'warning', 'key_held', format('%s/%s', held.queue_name, held.group_key),
           format('Queue "%s": messages of key %s have waited for %s.', held.queue_name, held.group_key,
                  symphony._duration(now - held.held_at)),
           held.held_at,
           format('Message %s holds it, and %s.', held.message_id, case head.status
                  when 'failed' then 'has failed for good'
                  when 'delayed' then 'is handed out again in ' || symphony._duration(head.available_at - now)
                  when 'processing' then 'is worked on' else 'is the next' end),
           format('select symphony.release_key(%L, %L);', held.queue_name, held.group_key)
    from (
        select h.* from (select * from symphony.held_key limit 10000) as h
        where h.held_at < now - (symphony._thresholds()).held
        order by h.held_at
        limit 10
    ) as held
    cross join lateral symphony._message_status(held.message_id) as head
    where exists (select from symphony.parked as p
                  where p.queue_name = held.queue_name and p.group_key = held.group_key);

    return query
    select 'warning', 'key_busy', format('%s/%s', busy.queue_name, busy.group_key),
           format('Queue "%s": messages of key %s have waited for %s.', busy.queue_name, busy.group_key,
                  symphony._duration(now - busy.claimed_at)),
           busy.claimed_at,
           format('Worker "%s" has been at message %s since then.', busy.worker, busy.message_id),
           format('symphony-pg workers stop %s', busy.worker)
    from (
        select distinct on (c.queue_name, m.group_key)
               c.queue_name, m.group_key, c.claimed_at, c.worker, m.message_id
        from (
            select newest.queue_name, claim.claimed_at, claim.worker, claim.open_ids
            from (select distinct on (g.queue_name) g.queue_name, g.open_claims
                  from symphony.gate as g order by g.queue_name, g.gate_id desc) as newest
            join symphony.claim on claim.claim_id = any (newest.open_claims)
            where claim.claimed_at < now - (symphony._thresholds()).held and claim.open_ids <> '{}'
            order by claim.claimed_at
            limit 100
        ) as c
        cross join lateral unnest(c.open_ids) as open (message_id)
        join symphony.message as m on m.message_id = open.message_id
        where exists (select from symphony.parked as p
                      where p.queue_name = c.queue_name and p.group_key = m.group_key)
        order by c.queue_name, m.group_key, c.claimed_at, m.message_id
    ) as busy
    order by busy.claimed_at
    limit 10;
end;
$$;

comment on function symphony._key_incidents is
$$Keys that one message has held for long, or that are in hands for long, while others wait.

Arguments  now
Access     private$$;
