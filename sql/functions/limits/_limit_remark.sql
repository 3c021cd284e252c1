create or replace function symphony._limit_remark(queue_name text)
returns text
language plpgsql
stable
as $$
begin
    return (
        select format('Queue "%s" lets workers have %s messages at a time, and they have %s.', q.queue_name,
                      q.concurrency, gate.in_flight)
        from symphony.queue as q
        cross join lateral symphony._gate(q.queue_name) as gate
        where q.queue_name = _limit_remark.queue_name
          and q.concurrency <= gate.in_flight);
end;
$$;

comment on function symphony._limit_remark(text) is
$$Which limit of a queue holds up what is pending, as a sentence for why_not_running().

Arguments  queue_name
Returns    a sentence; null: no limit does
Access     private$$;

revoke execute on function symphony._limit_remark(text) from public;
