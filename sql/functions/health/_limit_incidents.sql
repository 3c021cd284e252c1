create or replace function symphony._limit_incidents(now timestamptz)
returns setof symphony.incident
language plpgsql
stable
as $$
begin
    return query
    select 'warning', 'limit_reached', q.queue_name,
           format('Queue "%s": its limit has held all that waits for %s.', q.queue_name,
                  symphony._duration(now - hand.newest)),
           hand.newest,
           format('The limit is %s; %s has had one for %s.', q.concurrency, hand.worker,
                  symphony._duration(now - hand.oldest)),
           format('symphony-pg queue configure %s --concurrency %s', q.queue_name, q.concurrency * 2)
    from symphony.queue as q
    cross join lateral symphony._gate(q.queue_name) as gate
    cross join lateral (
        select max(c.claimed_at) as newest, min(c.claimed_at) as oldest,
               (array_agg(coalesce(c.worker, 'a worker') order by c.claimed_at))[1] as worker
        from symphony.claim as c
        where c.claim_id = any (gate.open_claims)
    ) as hand
    where q.concurrency is not null and q.concurrency <= gate.in_flight and q.paused_at is null
      and hand.newest < now - (symphony._thresholds()).busy
      and (exists (select from symphony._waiting() as w where w.queue_name = q.queue_name)
           or exists (select from symphony.parked as p where p.queue_name = q.queue_name));
end;
$$;

comment on function symphony._limit_incidents is
$$Queues whose limit is used up by the same messages for long, while others wait.

Arguments  now
Access     private$$;
