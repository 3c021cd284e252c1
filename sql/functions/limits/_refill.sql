create or replace function symphony._refill(queue symphony.queue, gate symphony.gate_state, now timestamptz)
returns void
language plpgsql
volatile
as $$
declare
    v_full_at timestamptz := symphony._full_at(queue.rate, queue.burst, gate.full_at, now, 0);
begin
    if gate.full_at > v_full_at then
        update symphony.gate as g
        set full_at = v_full_at
        where g.queue_name = queue.queue_name and g.gate_id = gate.gate_id;
    end if;
end;
$$;

comment on function symphony._refill is
$$Let the bucket of a queue be empty from now on if it seems to be emptier than that, since the rate
was changed or the clock was set back.

Arguments  queue - its settings; its gate is locked
           gate - what _gate() says
           now
Writes     symphony.gate
Access     private$$;
