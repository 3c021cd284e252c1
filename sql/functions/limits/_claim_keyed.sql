create or replace function symphony._claim_keyed(
    lane_id    integer,
    queue      symphony.queue,
    gate       symphony.gate_state,
    new_id     bigint,
    wanted     integer,
    at_most    integer,
    worker     text,
    lease      interval,
    others     integer[],
    finished   int8multirange,
    now        timestamptz
)
returns setof symphony.claimed_message
language plpgsql
volatile
as $$
#variable_conflict use_column
declare
    v_lane     record;
    v_taken    record;
    v_has_more boolean;
begin
    select * into v_lane from symphony._lane_settings(_claim_keyed.lane_id);
    v_taken := symphony._pass_gate(_claim_keyed.lane_id, queue, gate, new_id, at_most, finished, now);
    if v_taken.ids = '{}' and v_taken.passed = 0 then return; end if;
    v_has_more := cardinality(v_taken.ids) = wanted or v_taken.passed >= 5000
                  or symphony._has_others(queue.queue_name, others, cardinality(v_taken.ids) < at_most);
    return query
    with batch as materialized (
        select m.*, taken.number
        from unnest(v_taken.ids) with ordinality as taken (message_id, number)
        join symphony.message as m on m.message_id = taken.message_id
    ), claimed as (
        insert into symphony.claim (claim_id, lane_id, worker, claimed_at, lease_until, finished_at, size,
                                    open_ids, keys, holds, first_place, waited, passed, ahead, partial_txid,
                                    partial_message_id)
        values (new_id, _claim_keyed.lane_id, _claim_keyed.worker, now,
                now + coalesce(_claim_keyed.lease, v_lane.lease),
                case when v_taken.ids = '{}' then now end, cardinality(v_taken.ids), v_taken.ids,
                v_taken.keys, nullif(v_taken.holds, false),
                case when not v_taken.holds then least(new_id, v_taken.first_place) end,
                (select coalesce(greatest(date_part('epoch', now) - avg(date_part('epoch',
                            coalesce(batch.available_at, batch.enqueued_at))), 0), 0) from batch),
                v_taken.passed, v_taken.ahead, v_taken.partial_txid, v_taken.partial_message_id)
        returning lease_until, symphony._paced_until(queue, now) as next_at
    )
    select new_id, batch.message_id, v_lane.queue_name, batch.message_type, batch.body,
           batch.headers, v_lane.priority::integer, batch.attempt + 1,
           case when batch.retry is null and not v_lane.by_type then v_lane.max_attempts
                else symphony._max_attempts(batch.message_type, batch.retry, v_lane.max_attempts)
           end, batch.group_key, batch.enqueued_at, claimed.lease_until, v_lane.alone, v_has_more,
           queue.ordered, claimed.next_at
    from claimed, batch
    order by batch.number;
end;
$$;

comment on function symphony._claim_keyed is
$$Take the next messages of a lane whose queue has limits, where some may have to wait for their keys.

Arguments  lane_id - locked, and the gate, too
           queue - its settings
           gate - what _gate() says
           new_id - of the claim
           wanted - how many the worker wants
           at_most - how many it may have
           worker, lease - as for claim_batch()
           others, finished - as for _claim_gated()
           now
Returns    as claim_batch() does
Writes     symphony.claim, symphony.parked, symphony.gate, symphony.freed_key, symphony.key_pace
Access     private$$;
