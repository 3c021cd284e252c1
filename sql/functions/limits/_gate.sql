create or replace function symphony._gate(queue_name text, with_keys boolean default false)
returns symphony.gate_state
language plpgsql
stable
as $$
/*
 * All of it is of one moment: a key that is in hands no more, and waits not yet, would be taken for free;
 * and one that is freed later would be forgotten.
 */
declare
    v_gate symphony.gate_state;
begin
    select newest.gate_id,
           coalesce(array_agg(claim.claim_id) filter (where claim.open_ids <> '{}'), '{}'),
           coalesce(array_agg(claim.claim_id) filter (where claim.open_ids = '{}'), '{}'),
           coalesce(sum(cardinality(claim.open_ids)), 0),
           newest.has_parked or coalesce(bool_or(claim.returned > 0), false),
           newest.full_at, newest.paced_until, '{}', '{}'
    into v_gate
    from (
        select * from symphony.gate
        where gate.queue_name = _gate.queue_name
        order by gate.queue_name desc, gate.gate_id desc
        limit 1
    ) as newest
    left join symphony.claim on claim.claim_id = any (newest.open_claims)
    group by newest.gate_id, newest.full_at, newest.paced_until, newest.has_parked;
    if with_keys and v_gate.open_claims <> '{}' then
        v_gate.busy := symphony._busy_keys(v_gate.open_claims);
    end if;
    if with_keys and v_gate.has_parked then
        v_gate.freed := array(select freed_key.ctid from symphony.freed_key
                              where freed_key.queue_name = _gate.queue_name);
    end if;
    return v_gate;
end;
$$;

comment on function symphony._gate is
$$What is in the hands of the workers of a queue with limits, and what waits.

Arguments  queue_name
           with_keys - true: see what is in hands of each key, too
Returns    one row: the newest of symphony.gate, and
           open_claims - those of its claims that are open
           over_claims - those that are over, and whose keys nobody has looked at since
           in_flight - messages that are open in them
           has_parked - false: nothing is parked
           busy - how many messages of each key are open in them
           freed - the rows of freed_key, if something is parked
Access     private$$;
