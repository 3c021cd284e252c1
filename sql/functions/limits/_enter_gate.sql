create or replace function symphony._enter_gate(
    queue_name text,
    batch_size integer,
    slots      integer,
    wait       boolean,
    out queue    symphony.queue,
    out gate     symphony.gate_state,
    out now      timestamptz,
    out claim_id bigint,
    out tokens   integer,
    out wanted   integer,
    out at_most  integer,
    out may_wait boolean
)
language plpgsql
volatile
as $$
/*
 * Only who is at the gate may claim from a lane of the queue; its lock lies beside those of the lanes, see
 * _lock_lane(), and two queues whose hashes meet share a gate.  What is in hands is read before all else.
 * Whatever others settle from then on counts as still in hands, and is found by the next claim.
 */
begin
    if wait then
        perform pg_advisory_xact_lock(1398361425, hashtext(queue_name));
    elsif not pg_try_advisory_xact_lock(1398361425, hashtext(queue_name)) then
        return;
    end if;
    select * into queue from symphony.queue as q where q.queue_name = _enter_gate.queue_name;
    gate := symphony._gate(queue_name, symphony._is_keyed(queue));
    now := symphony._now();
    tokens := symphony._tokens(queue.rate, queue.burst, gate.full_at, now);
    wanted := least(batch_size,
                    case when slots is not null and num_nonnulls(queue.concurrency, queue.rate) > 0
                         then greatest(slots, 1) end);
    at_most := least(wanted, queue.concurrency - gate.in_flight, tokens);
    if at_most <= 0 then
        perform symphony._refill(queue, gate, now);
        return;
    end if;
    if queue.rate is not null and current_setting('synchronous_commit') = 'off' then
        perform set_config('synchronous_commit', 'on', true);    -- a crash must not give tokens back
    end if;
    claim_id := nextval('symphony.claim_id_seq') * 65536 + floor(random() * 65536)::bigint;
    may_wait := gate.has_parked or queue.key_rate is not null
        or not queue.ordered and queue.key_concurrency is not null
        or queue.ordered and exists (select from symphony.held_key
                                     where held_key.queue_name = _enter_gate.queue_name);
end;
$$;

comment on function symphony._enter_gate is
$$Take the gate of a queue, and see how many messages a claim may take.

Arguments  queue_name - one of its lanes is locked
           batch_size - how many are asked for
           slots - as for claim_batch()
           wait - false: give up if another session is at the gate
Returns    queue - its settings
           gate - what _gate() says
           now
           claim_id - of the claim
           tokens - how many the rate allows; null: any
           wanted - how many the worker can take
           at_most - how many it may take; null: another session is at the gate
           may_wait - false: they need not be looked at one by one, unless their key is in hands
Writes     symphony.gate, if its clock is wrong
Locks      the gate of the queue until the transaction ends
Access     private$$;
