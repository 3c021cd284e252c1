create or replace function symphony._broken_rates()
returns table (invariant text, detail text)
language plpgsql
stable
as $$
begin
    return query
    select 'a bucket is never emptier than empty', format('queue %s', q.queue_name)
    from symphony.queue as q
    cross join symphony._gate(q.queue_name) as g
    where g.full_at > symphony._full_at(q.rate, q.burst, g.full_at, symphony._now(), 0)
    union all
    select 'a bucket is never emptier than empty', format('key %s of queue %s', k.group_key, k.queue_name)
    from symphony.key_pace as k
    join symphony.queue as q on q.queue_name = k.queue_name
    where k.full_at > symphony._full_at(q.key_rate, null, k.full_at, symphony._now(), 0);

    return query
    select 'a rate is kept where there is one', format('key %s of queue %s', k.group_key, k.queue_name)
    from symphony.key_pace as k
    where not exists (select from symphony.queue as q
                      where q.queue_name = k.queue_name and q.key_rate is not null)
    union all
    select 'a rate is kept where there is one', format('queue %s', q.queue_name)
    from symphony.queue as q
    where symphony._is_gated(q)
      and not exists (select from symphony.gate as g where g.queue_name = q.queue_name);
end;
$$;

comment on function symphony._broken_rates is
$$The invariants of queues that have a rate, for check().

Access     private$$;
