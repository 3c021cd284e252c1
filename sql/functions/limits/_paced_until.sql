create or replace function symphony._paced_until(queue symphony.queue, now timestamptz)
returns timestamptz
language plpgsql
stable
as $$
begin
    if num_nonnulls(queue.rate, queue.key_rate) = 0 then
        return null;
    end if;
    return (
        select least(
            case when symphony._tokens(queue.rate, queue.burst, gate.full_at, now) < 1
                 then symphony._next_token_at(queue.rate, queue.burst, gate.full_at) end,
            (select key_pace.next_at
             from symphony.key_pace
             where key_pace.queue_name = queue.queue_name
               and key_pace.next_at > greatest(gate.paced_until, now)
             order by key_pace.next_at
             limit 1))
        from symphony.gate
        where gate.queue_name = queue.queue_name
        order by gate.gate_id desc
        limit 1);
end;
$$;

comment on function symphony._paced_until is
$$When the rate of a queue allows the next message, or that of a key the next of what waits for it.

Arguments  queue - its settings
           now
Returns    a moment to come; null: now, or there is no rate
Access     private$$;
