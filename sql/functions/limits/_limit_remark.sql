create or replace function symphony._limit_remark(queue_name text, now timestamptz)
returns text
language plpgsql
stable
as $$
begin
    return (
        select format('Queue "%s" lets workers have %s message%s at a time, and they have %s.', q.queue_name,
                      q.concurrency, case when q.concurrency > 1 then 's' end, gate.in_flight)
        from symphony.queue as q
        cross join lateral symphony._gate(q.queue_name) as gate
        where q.queue_name = _limit_remark.queue_name
          and q.concurrency <= gate.in_flight
        union all
        select format('The rate of queue "%s", %s, allows the next one in %s s.', q.queue_name, q.rate,
                      round(greatest(extract(epoch from symphony._next_token_at(q.rate, q.burst, gate.full_at)
                                                        - now), 0.001), 3)::real)
        from symphony.queue as q
        cross join lateral symphony._gate(q.queue_name) as gate
        where q.queue_name = _limit_remark.queue_name
          and symphony._tokens(q.rate, q.burst, gate.full_at, now) < 1
        limit 1);
end;
$$;

comment on function symphony._limit_remark is
$$Which limit of a queue holds up what is pending, as a sentence for why_not_running().

Arguments  queue_name
           now
Returns    a sentence; null: no limit does
Access     private$$;
