create or replace function symphony._claim_gated(
    lane_id    integer,
    batch_size integer,
    worker     text,
    lease      interval,
    wait       boolean,
    slots      integer
)
returns table (
    claim_id bigint, message_id bigint, queue_name text, message_type text, body jsonb,
    headers jsonb, priority integer, attempt integer, max_attempts integer, group_key text,
    enqueued_at timestamptz, lease_until timestamptz, alone boolean, has_more boolean, ordered boolean
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
    v_lane     record;
    v_queue    symphony.queue;
    v_gate     record;
    v_busy     jsonb := '{}';
    v_limit    integer;
    v_bounds   jsonb := '{}';
    v_claim_id bigint;
    v_parked   record;
    v_log      record;
    v_ids      bigint[];
    v_keys     text[];
    v_is_keyed boolean;
begin
    select * into v_lane from symphony._lane_settings(_claim_gated.lane_id);
    if not symphony._lock_gate(v_lane.queue_name, wait) then return; end if;
    select * into v_queue from symphony.queue where queue.queue_name = v_lane.queue_name;
    v_is_keyed := v_queue.ordered or v_queue.key_concurrency is not null;
    v_gate := symphony._gate(v_lane.queue_name);
    v_limit := least(case when v_lane.alone then 1 else batch_size end,
                     v_queue.concurrency - v_gate.in_flight,
                     case when v_queue.concurrency is not null and slots is not null
                          then greatest(slots, 1) end);
    if v_limit <= 0 then return; end if;
    v_claim_id := nextval('symphony.claim_id_seq') * 65536 + floor(random() * 65536)::bigint;
    select '{}'::bigint[] as ids, '{}'::text[] as keys, false as holds, null::bigint as first_place
    into v_parked;
    if v_is_keyed then
        v_busy := symphony._busy_keys(v_gate.open_claims);
        v_bounds := symphony._key_bounds(v_lane.queue_name, v_gate.open_claims || v_gate.over_claims);
        v_parked := symphony._take_parked(_claim_gated.lane_id, v_queue, v_bounds, v_busy, v_limit);
    end if;
    v_log := symphony._take_log(
        _claim_gated.lane_id, v_queue,
        case when v_queue.key_concurrency is null or v_queue.ordered then v_busy
             else symphony._add_keys(v_busy, v_parked.keys) end,
        v_bounds, v_claim_id, v_limit - cardinality(v_parked.ids));
    v_ids := v_parked.ids || v_log.ids;
    v_keys := case when v_is_keyed then v_parked.keys || v_log.keys else '{}' end;
    perform symphony._move_gate(v_lane.queue_name, v_gate.gate_id, v_gate.open_claims, v_gate.over_claims,
                                v_bounds, v_busy, v_keys, case when v_ids <> '{}' then v_claim_id end);
    return query
    with batch as materialized (
        select m.*, taken.number
        from unnest(v_ids) with ordinality as taken (message_id, number)
        join symphony.message as m on m.message_id = taken.message_id
    ), claimed as (
        insert into symphony.claim (claim_id, lane_id, worker, claimed_at, lease_until, finished_at, size,
                                    open_ids, keys, holds, first_place, waited, passed, ahead,
                                    partial_txid, partial_message_id)
        select v_claim_id, _claim_gated.lane_id, _claim_gated.worker, t.now,
               t.now + coalesce(_claim_gated.lease, v_lane.lease),
               case when v_ids = '{}' then t.now end, cardinality(v_ids), v_ids, v_keys,
               nullif(v_parked.holds or v_log.holds, false),
               case when not (v_parked.holds or v_log.holds)
                    then least(v_claim_id, v_parked.first_place) end,
               (select coalesce(greatest(date_part('epoch', t.now) - avg(date_part('epoch',
                            coalesce(batch.available_at, batch.enqueued_at))), 0), 0) from batch),
               v_log.passed, v_log.ahead, v_log.partial_txid, v_log.partial_message_id
        from (select symphony._now() as now) as t
        where v_ids <> '{}' or v_log.passed > 0
        returning lease_until
    )
    select v_claim_id, batch.message_id, v_lane.queue_name, batch.message_type, batch.body, batch.headers,
           v_lane.priority::integer, batch.attempt + 1,
           case when batch.retry is null and not v_lane.by_type then v_lane.max_attempts
                else symphony._max_attempts(batch.message_type, batch.retry, v_lane.max_attempts)
           end, batch.group_key, batch.enqueued_at, claimed.lease_until, v_lane.alone, true,
           v_queue.ordered
    from claimed, batch
    order by batch.number;
end;
$$;

comment on function symphony._claim_gated(integer, integer, text, interval, boolean, integer) is
$$Take the next messages of a lane whose queue is ordered or has limits.

Arguments  lane_id - locked
           batch_size, worker, lease - as for claim_batch()
           wait - false: nothing, if another session is at the gate
           slots - as for claim_batch()
Returns    as claim_batch() does
Writes     symphony.claim, symphony.parked, symphony.gate, symphony.freed_key
Locks      the gate of the queue until the transaction ends
Access     private$$;

revoke execute on function
    symphony._claim_gated(integer, integer, text, interval, boolean, integer) from public;
