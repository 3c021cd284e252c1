create or replace function symphony._move_gate(
    queue    symphony.queue,
    gate     symphony.gate_state,
    claim_id bigint,
    messages integer,
    taken    text[],
    bounds   jsonb,
    busy     jsonb,
    waits    boolean,
    now      timestamptz
)
returns void
language plpgsql
volatile
as $$
/*
 * A claim that is over leaves the gate when nothing is parked of its keys that could have been taken.
 * So the list is as short as there are open claims, and what is left for lack of room is not forgotten.
 * Where keys have a rate, key_pace sees to that.
 */
declare
    v_keys  text[] := '{}';
    v_kept  bigint[] := '{}';
    v_paced timestamptz := gate.paced_until;
begin
    if bounds <> '{}' then
        if queue.key_rate is not null then
            select coalesce(min(waiting.next_at), now) - interval '1 microsecond' into v_paced
            from (select key_pace.next_at from symphony.key_pace
                  where key_pace.queue_name = queue.queue_name and key_pace.next_at < now
                    and key_pace.next_at > coalesce(gate.paced_until, '-infinity')
                  order by key_pace.next_at limit 1) as waiting;
        else
            v_keys := symphony._ready_keys(queue.queue_name, bounds, busy, taken);
            v_kept := array(
                select claim.claim_id from symphony.claim
                where claim.claim_id = any (gate.over_claims) and claim.keys && v_keys);
        end if;
    end if;
    if cardinality(gate.freed) > 0 then    -- others may have come since
        delete from symphony.freed_key
        where freed_key.ctid = any (gate.freed) and freed_key.group_key <> all (v_keys);
    end if;
    if _move_gate.claim_id is not null or waits > gate.has_parked
       or cardinality(v_kept) < cardinality(gate.over_claims)
    then
        insert into symphony.gate (queue_name, open_claims, has_parked, full_at, paced_until)
        values (queue.queue_name, array_remove(gate.open_claims || v_kept || _move_gate.claim_id, null),
                waits or gate.has_parked and exists (
                    select from symphony.parked where parked.queue_name = queue.queue_name),
                symphony._full_at(queue.rate, queue.burst, gate.full_at, now, messages), v_paced);
        delete from symphony.gate as g
        where g.queue_name = queue.queue_name and g.gate_id = gate.gate_id;
    end if;
end;
$$;

comment on function symphony._move_gate is
$$Note which claims of a queue with limits may be open, and what its rate allows from now on.

Arguments  queue - its settings
           gate - what _gate() has said
           claim_id - the new claim; null: nothing was taken
           messages - how many were taken
           taken - the keys of these
           bounds - what _key_bounds() has said
           busy - the keys that were in hands
           waits - true: something is parked; false: it is so if the gate says that, and it is true
           now
Writes     symphony.gate, if that is news; symphony.freed_key
Access     private$$;
