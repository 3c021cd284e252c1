create or replace function symphony._claim_log(
    lane_id    integer,
    batch_size integer,
    worker     text,
    lease      interval,
    others     integer[]
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
 * It does what claim_batch() does for a lane without limits.  That one is not made of this one, since a call
 * more would cost each claim.
 */
#variable_conflict use_column
declare
    v_take     int8multirange := symphony._finished_transactions();
    v_now      timestamptz := symphony._now();
    v_limit    integer;
    v_first    int8range;
    v_lane     record;
    v_has_more boolean;
begin
    select * into v_lane
    from symphony._lane_settings(_claim_log.lane_id), symphony._position(_claim_log.lane_id);
    v_has_more := symphony._has_pending(others, v_take);
    v_take := v_lane.ahead * v_take;
    if isempty(v_take) then return; end if;
    v_first := symphony._first_run(v_take, v_lane.partial_txid);
    v_limit := case when v_lane.alone then 1 else _claim_log.batch_size end;
    return query
    with batch as materialized (
        select * from symphony._runs(_claim_log.lane_id, v_take, v_first, v_lane.partial_message_id, v_limit)
    ), taken as (
        select array_agg(message_id) as ids, (array_agg(txid))[v_limit] as last_txid,
               (array_agg(message_id))[v_limit] as last_message_id,
               avg(date_part('epoch', coalesce(available_at, enqueued_at))) as due_at
        from batch having count(*) > 0
    ), claimed as (
        insert into symphony.claim (lane_id, worker, claimed_at, lease_until, size, open_ids, waited,
                                    ahead, partial_txid, partial_message_id)
        select _claim_log.lane_id, _claim_log.worker, v_now,
               v_now + coalesce(_claim_log.lease, v_lane.lease),
               cardinality(ids), ids, greatest(date_part('epoch', v_now) - due_at, 0),
               v_lane.ahead - symphony._drained(v_take, v_first, last_txid), last_txid, last_message_id
        from taken
        returning claim_id, lease_until, v_has_more or size = v_limit and symphony._has_rest(
            _claim_log.lane_id, v_take, v_first, partial_txid, partial_message_id) as has_more
    )
    select claimed.claim_id, batch.message_id, v_lane.queue_name, batch.message_type,
           batch.body, batch.headers, v_lane.priority::integer, batch.attempt + 1,
           case when batch.retry is null and not v_lane.by_type then v_lane.max_attempts
                else symphony._max_attempts(batch.message_type, batch.retry, v_lane.max_attempts) end,
           batch.group_key, batch.enqueued_at, claimed.lease_until, v_lane.alone, claimed.has_more, false
    from claimed, batch;
end;
$$;

comment on function symphony._claim_log is
$$Take the next messages of a lane without limits.

Arguments  lane_id - locked
           batch_size, worker, lease - as for claim_batch()
           others - as for _claim_expiring()
Returns    as claim_batch() does
Writes     symphony.claim (inserts one row)
Access     private$$;
