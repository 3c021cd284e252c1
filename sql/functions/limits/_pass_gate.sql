create or replace function symphony._pass_gate(
    lane_id  integer,
    queue    symphony.queue,
    gate     symphony.gate_state,
    claim_id bigint,
    at_most  integer,
    finished int8multirange,
    now      timestamptz,
    out ids    bigint[],
    out keys   text[],
    out holds  boolean,
    out first_place bigint,
    out passed integer,
    out ahead  int8multirange,
    out partial_txid       bigint,
    out partial_message_id bigint
)
language plpgsql
volatile
as $$
/*
 * What waits is looked for only if something does.  What was parked goes first, since it came first.
 */
declare
    v_is_keyed boolean := symphony._is_keyed(queue);
    v_busy     jsonb := coalesce(gate.busy, '{}');
    v_bounds   jsonb := '{}';
    v_log      record;
begin
    ids := '{}';
    keys := '{}';
    holds := false;
    if v_is_keyed and gate.has_parked then
        v_bounds := symphony._key_bounds(queue.queue_name, gate, at_most, now);
        select p.ids, p.keys, p.holds, p.first_place into ids, keys, holds, first_place
        from symphony._take_parked(_pass_gate.lane_id, queue, v_bounds, v_busy, at_most, now) as p;
    end if;
    v_log := symphony._take_log(_pass_gate.lane_id, queue, v_busy, v_bounds, gate.has_parked, keys,
                                _pass_gate.claim_id, at_most - cardinality(ids), finished, now);
    ids := ids || v_log.ids;
    keys := case when v_is_keyed then keys || v_log.keys else '{}' end;
    holds := holds or v_log.holds;
    passed := v_log.passed;
    ahead := v_log.ahead;
    partial_txid := v_log.partial_txid;
    partial_message_id := v_log.partial_message_id;
    if queue.key_rate is not null then
        perform symphony._note_paces(queue, keys, v_bounds, v_log.parked_keys, v_busy,
                                     _pass_gate.claim_id, now);
    end if;
    perform symphony._move_gate(queue, gate, case when ids <> '{}' then _pass_gate.claim_id end,
                                cardinality(ids), keys, v_bounds, v_busy,
                                v_log.parked_keys <> '{}' or first_place is not null
                                or gate.has_parked and gate.open_claims <> '{}', now);
end;
$$;

comment on function symphony._pass_gate is
$$Take messages of a lane as the order and the limits of its queue allow.

Arguments  lane_id - locked, and the gate, too
           queue - its settings
           gate - what _gate() says
           claim_id - of the claim that takes them
           at_most - how many
           finished - as for _claim_gated()
           now
Returns    ids - of the messages
           keys - of the messages, if keys are limited
           holds - whether one of them holds its key
           first_place - the least place of what had been parked
           passed - how many messages of the log it went through
           ahead - the position after that
           partial_txid - of it
           partial_message_id - of it
Writes     symphony.parked, symphony.gate, symphony.freed_key, symphony.key_pace
Access     private$$;
