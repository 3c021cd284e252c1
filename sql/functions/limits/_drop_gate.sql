create or replace function symphony._drop_gate(queue_name text)
returns void
language plpgsql
volatile
as $$
begin
    delete from symphony.parked where parked.queue_name = _drop_gate.queue_name;
    delete from symphony.held_key where held_key.queue_name = _drop_gate.queue_name;
    delete from symphony.freed_key where freed_key.queue_name = _drop_gate.queue_name;
    delete from symphony.key_pace where key_pace.queue_name = _drop_gate.queue_name;
    delete from symphony.gate where gate.queue_name = _drop_gate.queue_name;
end;
$$;

comment on function symphony._drop_gate is
$$Remove what a queue has for its order and limits.

Arguments  queue_name - its lanes are locked
Writes     symphony.parked, symphony.held_key, symphony.freed_key, symphony.key_pace, symphony.gate
Access     private$$;
