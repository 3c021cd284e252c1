create or replace function symphony._move_gate(
    queue_name  text,
    gate_id     bigint,
    open_claims bigint[],
    over_claims bigint[],
    bounds      jsonb,
    busy        jsonb,
    taken       text[],
    claim_id    bigint
)
returns void
language plpgsql
volatile
as $$
/*
 * A claim that is over leaves the gate when nothing is parked of its keys that could have been taken.
 * So the list is as short as there are open claims, and what is left for lack of room is not forgotten.
 */
declare
    v_freed tid[] := array(    -- those that the bounds know of; others may have come since
        select freed_key.ctid from symphony.freed_key
        where freed_key.queue_name = _move_gate.queue_name
          and (bounds -> freed_key.group_key)::bigint = -9223372036854775808);
    v_keys  text[];
    v_kept  bigint[] := '{}';
begin
    if cardinality(over_claims) > 0 or cardinality(v_freed) > 0 then
        v_keys := symphony._ready_keys(queue_name, bounds, busy, taken);
        v_kept := array(
            select claim.claim_id from symphony.claim
            where claim.claim_id = any (_move_gate.over_claims) and claim.keys && v_keys);
    end if;
    if cardinality(v_freed) > 0 then
        delete from symphony.freed_key
        where freed_key.ctid = any (v_freed) and freed_key.group_key <> all (v_keys);
    end if;
    if _move_gate.claim_id is not null or cardinality(v_kept) < cardinality(over_claims) then
        insert into symphony.gate (queue_name, open_claims)
        values (_move_gate.queue_name, array_remove(open_claims || v_kept || _move_gate.claim_id, null));
        delete from symphony.gate
        where gate.queue_name = _move_gate.queue_name and gate.gate_id = _move_gate.gate_id;
    end if;
end;
$$;

comment on function symphony._move_gate(text, bigint, bigint[], bigint[], jsonb, jsonb, text[], bigint) is
$$Note which claims of a queue with limits may be open.

Arguments  queue_name
           gate_id, open_claims, over_claims - what _gate() has said
           bounds - what _key_bounds() has said
           busy - the keys that were in hands
           taken - those of the new claim
           claim_id - the new claim; null: nothing was taken
Writes     symphony.gate, if that is news; symphony.freed_key
Access     private$$;

revoke execute on function
    symphony._move_gate(text, bigint, bigint[], bigint[], jsonb, jsonb, text[], bigint) from public;
