create or replace function symphony._worker_states(now timestamptz)
returns table (
    worker text, state text, open_claims bigint, processing bigint, claimed_at timestamptz
)
language sql
stable
as $$
    select w.worker,
           case when w.seen_at < _worker_states.now - (symphony._thresholds()).silent then 'silent'
                when w.request = 'stop' or w.details ->> 'state' = 'stopping' then 'stopping'
                when w.request = 'pause' then 'paused'
                when hand.messages > 0 then 'working'
                else 'idle' end,
           coalesce(hand.claims, 0), coalesce(hand.messages, 0), hand.since
    from symphony.worker as w
    left join (
        select c.worker, count(*) as claims, sum(cardinality(c.open_ids)) as messages,
               min(c.claimed_at) as since
        from symphony.claim as c
        where c.lease_until > _worker_states.now and c.open_ids <> '{}'
        group by c.worker
    ) as hand on hand.worker = w.worker
$$;

comment on function symphony._worker_states is
$$What each worker is about, without a look at its messages.

Arguments  now
Returns    a row for each worker
           worker - the name it claims with
           state, open_claims, processing, claimed_at - as in worker_activity()
Access     private$$;
