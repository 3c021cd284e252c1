create or replace function symphony._claim_gated(
    lane_id    integer,
    batch_size integer,
    worker     text,
    lease      interval,
    wait       boolean,
    slots      integer,
    others     integer[],
    finished   int8multirange
)
returns setof symphony.claimed_message
language plpgsql
volatile
as $$
/*
 * Most claims meet nothing that has to wait, and take what comes as any claim does, in one statement.
 */
#variable_conflict use_column
declare
    v_lane     record;
    v_pass     record;
    v_queue    symphony.queue;
    v_gate     symphony.gate_state;
    v_take     int8multirange;
    v_first    int8range;
begin
    select * into v_lane from symphony._lane_settings(_claim_gated.lane_id);
    v_pass := symphony._enter_gate(
        v_lane.queue_name, case when v_lane.alone then 1 else batch_size end, slots, wait);
    if (v_pass.at_most > 0) is not true then return; end if;
    v_queue := v_pass.queue;
    v_gate := v_pass.gate;
    v_take := v_lane.ahead * _claim_gated.finished;
    if not v_pass.may_wait and not isempty(v_take) then
        v_first := symphony._first_run(v_take, v_lane.partial_txid);
        return query with batch as materialized (
            select * from symphony._runs(_claim_gated.lane_id, v_take, v_first, v_lane.partial_message_id,
                                         v_pass.at_most)
        ), taken as (
            select array_agg(message_id) as ids, (array_agg(txid))[v_pass.at_most] as last_txid,
                   case when v_queue.ordered then array_agg(group_key) else '{}' end as keys,
                   (array_agg(message_id))[v_pass.at_most] as last_message_id,
                   avg(date_part('epoch', coalesce(available_at, enqueued_at))) as due_at
            from batch having count(*) > 0 and bool_or(v_gate.busy ? group_key) is not true
        ), claimed as (
            insert into symphony.claim (claim_id, lane_id, worker, claimed_at, lease_until, size, open_ids,
                                        keys, first_place, waited, passed, ahead, partial_txid,
                                        partial_message_id)
            select v_pass.claim_id, _claim_gated.lane_id, _claim_gated.worker, v_pass.now,
                   v_pass.now + coalesce(_claim_gated.lease, v_lane.lease), cardinality(ids), ids, keys,
                   v_pass.claim_id, greatest(date_part('epoch', v_pass.now) - due_at, 0), cardinality(ids),
                   v_lane.ahead - symphony._drained(v_take, v_first, last_txid), last_txid, last_message_id
            from taken
            returning lease_until, size
        ), moved as (
            insert into symphony.gate (queue_name, open_claims, full_at)
            select v_queue.queue_name, v_gate.open_claims || v_pass.claim_id,
                   symphony._full_at(v_queue.rate, v_queue.burst, v_gate.full_at, v_pass.now, claimed.size)
            from claimed
            returning full_at
        ), gone as (
            delete from symphony.gate using moved
            where gate.queue_name = v_queue.queue_name and gate.gate_id = v_gate.gate_id
        )
        select v_pass.claim_id, batch.message_id, v_lane.queue_name, batch.message_type, batch.body,
               batch.headers, v_lane.priority::integer, batch.attempt + 1,
               case when batch.retry is null and not v_lane.by_type then v_lane.max_attempts
                    else symphony._max_attempts(batch.message_type, batch.retry, v_lane.max_attempts)
               end, batch.group_key, batch.enqueued_at, told.lease_until, v_lane.alone, told.has_more,
               v_queue.ordered, told.next_at
        from (select claimed.lease_until, claimed.size = v_pass.wanted or symphony._has_others(
                         v_lane.queue_name, others, claimed.size < v_pass.at_most) as has_more,
                     case when claimed.size = v_pass.tokens then symphony._next_token_at(
                         v_queue.rate, v_queue.burst, moved.full_at) end as next_at
              from claimed, moved) as told, batch;
        if found then return; end if;
    end if;
    return query select * from symphony._claim_keyed(
        _claim_gated.lane_id, v_queue, v_gate, v_pass.claim_id, v_pass.wanted, v_pass.at_most, worker,
        lease, others, finished, v_pass.now);
end;
$$;

comment on function symphony._claim_gated is
$$Take the next messages of a lane whose queue is ordered or has limits.

Arguments  lane_id - locked
           batch_size, worker, lease - as for claim_batch()
           wait - false: nothing, if another session is at the gate
           slots - as for claim_batch()
           others - the other lanes that the caller asks for, and that were not looked into
           finished - what _finished_transactions() has said since the lane is locked: of others
               nothing is taken, since the caller may not know whether their messages expire
Returns    as claim_batch() does
Writes     symphony.claim, symphony.parked, symphony.gate, symphony.freed_key, symphony.key_pace
Locks      the gate of the queue until the transaction ends
Access     private$$;
