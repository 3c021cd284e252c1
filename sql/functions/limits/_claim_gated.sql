create or replace function symphony._claim_gated(
    lane_id    integer,
    batch_size integer,
    worker     text,
    lease      interval,
    wait       boolean,
    slots      integer,
    others     integer[]
)
returns table (
    claim_id bigint, message_id bigint, queue_name text, message_type text, body jsonb,
    headers jsonb, priority integer, attempt integer, max_attempts integer, group_key text,
    enqueued_at timestamptz, lease_until timestamptz, alone boolean, has_more boolean, ordered boolean,
    next_at timestamptz
)
language plpgsql
volatile
as $$
/*
 * What is in hands is read before all else.  Whatever others settle from then on counts as still in
 * hands, and is found by the next claim.
 */
#variable_conflict use_column
declare
    v_now      timestamptz;
    v_lane     record;
    v_queue    symphony.queue;
    v_gate     symphony.gate_state;
    v_wanted   integer;
    v_room     integer;
    v_claim_id bigint;
    v_taken    record;
    v_has_more boolean;
begin
    select * into v_lane from symphony._lane_settings(_claim_gated.lane_id);
    if not symphony._lock_gate(v_lane.queue_name, wait) then return; end if;
    v_now := symphony._now();
    select * into v_queue from symphony.queue where queue.queue_name = v_lane.queue_name;
    v_gate := symphony._gate(v_lane.queue_name);
    v_wanted := least(case when v_lane.alone then 1 else batch_size end,
                      case when slots is not null and num_nonnulls(v_queue.concurrency, v_queue.rate) > 0
                           then greatest(slots, 1) end);
    v_room := least(v_queue.concurrency - v_gate.in_flight,
                    symphony._tokens(v_queue.rate, v_queue.burst, v_gate.full_at, v_now));
    if v_room <= 0 then
        perform symphony._refill(v_queue, v_gate, v_now);
        return;
    end if;
    v_claim_id := nextval('symphony.claim_id_seq') * 65536 + floor(random() * 65536)::bigint;
    v_taken := symphony._pass_gate(_claim_gated.lane_id, v_queue, v_gate, v_claim_id,
                                   least(v_wanted, v_room), v_now);
    if v_taken.ids = '{}' and v_taken.passed = 0 then return; end if;
    v_has_more := cardinality(v_taken.ids) = v_wanted or v_taken.passed >= 5000
                  or cardinality(others) > 0 and symphony._has_pending(
                      case when cardinality(v_taken.ids) < v_room then others
                           else array(select lane.lane_id from symphony.lane where lane.lane_id = any (others)
                                      and lane.queue_name <> v_lane.queue_name) end,
                      symphony._finished_transactions());
    if v_queue.rate is not null and current_setting('synchronous_commit') = 'off' then
        perform set_config('synchronous_commit', 'on', true);    -- a crash must not give tokens back
    end if;
    return query
    with batch as materialized (
        select m.*, taken.number
        from unnest(v_taken.ids) with ordinality as taken (message_id, number)
        join symphony.message as m on m.message_id = taken.message_id
    ), claimed as (
        insert into symphony.claim (claim_id, lane_id, worker, claimed_at, lease_until, finished_at, size,
                                    open_ids, keys, holds, first_place, waited, ahead, partial_txid,
                                    partial_message_id)
        values (v_claim_id, _claim_gated.lane_id, _claim_gated.worker, v_now,
                v_now + coalesce(_claim_gated.lease, v_lane.lease),
                case when v_taken.ids = '{}' then v_now end, cardinality(v_taken.ids), v_taken.ids,
                v_taken.keys, nullif(v_taken.holds, false),
                case when not v_taken.holds then least(v_claim_id, v_taken.first_place) end,
                (select coalesce(greatest(date_part('epoch', v_now) - avg(date_part('epoch',
                            coalesce(batch.available_at, batch.enqueued_at))), 0), 0) from batch),
                v_taken.ahead, v_taken.partial_txid, v_taken.partial_message_id)
        returning lease_until, symphony._paced_until(v_queue, v_now) as next_at
    )
    select v_claim_id, batch.message_id, v_lane.queue_name, batch.message_type, batch.body, batch.headers,
           v_lane.priority::integer, batch.attempt + 1,
           case when batch.retry is null and not v_lane.by_type then v_lane.max_attempts
                else symphony._max_attempts(batch.message_type, batch.retry, v_lane.max_attempts)
           end, batch.group_key, batch.enqueued_at, claimed.lease_until, v_lane.alone, v_has_more,
           v_queue.ordered, claimed.next_at
    from claimed, batch
    order by batch.number;
end;
$$;

comment on function symphony._claim_gated(integer, integer, text, interval, boolean, integer, integer[]) is
$$Take the next messages of a lane whose queue is ordered or has limits.

Arguments  lane_id - locked
           batch_size, worker, lease - as for claim_batch()
           wait - false: nothing, if another session is at the gate
           slots - as for claim_batch()
           others - the other lanes that the caller asks for, and that were not looked into
Returns    as claim_batch() does
Writes     symphony.claim, symphony.parked, symphony.gate, symphony.freed_key, symphony.key_pace
Locks      the gate of the queue until the transaction ends
Access     private$$;

revoke execute on function
    symphony._claim_gated(integer, integer, text, interval, boolean, integer, integer[]) from public;
