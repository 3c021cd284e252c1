create or replace function symphony._claim_lane(
    lane_id    integer,
    batch_size integer,
    worker     text,
    lease      interval,
    wait       boolean,
    slots      integer,
    others     integer[],
    with_late  boolean default false
)
returns setof symphony.claimed_message
language plpgsql
volatile
as $$
/*
 * What a claim of most lanes does is one statement: it reads the log from the position on, and its own row
 * is the new position.  It reads one message more than it takes, so it knows whether it leaves any.
 */
#variable_conflict use_column
declare
    v_finished int8multirange := symphony._finished_transactions();
    v_take     int8multirange;
    v_first    int8range;
    v_limit    integer;
    v_lane     record;
begin
    select *, symphony._now() as now into v_lane from symphony._lane_settings(_claim_lane.lane_id);
    if v_lane.expires and not with_late then
        return query select * from symphony._claim_expiring(
            _claim_lane.lane_id, batch_size, worker, lease, wait, slots, others, v_lane.is_gated);
        return;
    elsif v_lane.is_gated then
        return query select * from symphony._claim_gated(
            _claim_lane.lane_id, batch_size, worker, lease, wait, slots, others, v_finished);
        return;
    end if;
    v_take := v_lane.ahead * v_finished;
    if isempty(v_take) then return; end if;
    v_first := symphony._first_run(v_take, v_lane.partial_txid);
    v_limit := case when v_lane.alone then 1 else batch_size end;
    return query
    with found as materialized (
        (select m.* from symphony.message as m    -- as in _run()
         where m.lane_id = _claim_lane.lane_id
           and (m.txid, m.message_id) > (lower(v_first), coalesce(v_lane.partial_message_id, 0))
           and m.txid < upper(v_first)
         order by m.txid, m.message_id limit v_limit + 1)
        union all    -- nearly always there is no other run, or the first one has enough
        (select rest.*
         from unnest(v_take - int8multirange(v_first)) as run
         cross join lateral (
             select m.* from symphony.message as m
             where m.lane_id = _claim_lane.lane_id
               and (m.txid, m.message_id) > (lower(run), 0) and m.txid < upper(run)
             order by m.txid, m.message_id limit v_limit + 1
         ) as rest)
        limit v_limit + 1
    ), batch as not materialized (
        select * from found limit v_limit
    ), taken as (
        select array_agg(message_id) as ids, (array_agg(txid))[v_limit] as last_txid,
               (array_agg(message_id))[v_limit] as last_message_id,
               avg(date_part('epoch', coalesce(available_at, enqueued_at))) as due_at
        from batch having count(*) > 0
    ), claimed as (
        insert into symphony.claim (lane_id, worker, claimed_at, lease_until, size, open_ids, waited,
                                    ahead, partial_txid, partial_message_id)
        select _claim_lane.lane_id, _claim_lane.worker, v_lane.now,
               v_lane.now + coalesce(_claim_lane.lease, v_lane.lease), cardinality(ids), ids,
               greatest(date_part('epoch', v_lane.now) - due_at, 0),
               v_lane.ahead - symphony._drained(v_take, v_first, last_txid), last_txid, last_message_id
        from taken
        returning claim_id, lease_until, exists (select from found offset v_limit)
            or cardinality(others) > 0 and symphony._has_pending(others, v_finished) as has_more
    )
    select claimed.claim_id, batch.message_id, v_lane.queue_name, batch.message_type, batch.body,
           batch.headers, v_lane.priority::integer, batch.attempt + 1,
           case when batch.retry is null and not v_lane.by_type then v_lane.max_attempts
                else symphony._max_attempts(batch.message_type, batch.retry, v_lane.max_attempts) end,
           batch.group_key, batch.enqueued_at, claimed.lease_until, v_lane.alone, claimed.has_more, false,
           null::timestamptz
    from claimed, batch;
end;
$$;

comment on function symphony._claim_lane is
$$Take the next messages of a lane.

Arguments  lane_id - locked
           batch_size, worker, lease - as for claim_batch()
           wait, slots - as for _claim_gated()
           others - the lanes that the caller looks into after this one
           with_late - true: also those that were to start earlier
Returns    as claim_batch() does
Writes     symphony.claim (inserts one row); what _claim_gated() writes, if the queue has limits;
           what _claim_expiring() writes, if messages of the lane expire
Locks      what _claim_gated() locks
Access     private$$;
