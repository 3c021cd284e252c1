create or replace function symphony.purge_queue(queue_name text, seen text default null)
returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
/*
 * The position of each lane steps over what is pending.  Only messages with an idempotency key are
 * read, and those that no tick() has counted yet, so a million others take no longer.  tick() removes
 * them with the completed ones.
 */
declare
    v_lanes    integer[];
    v_finished int8multirange;
    v_dropped  bigint;
begin
    perform symphony._check_queues(array[purge_queue.queue_name]);
    perform symphony._check_isolation();
    v_lanes := array(select lane.lane_id from symphony.lane
                     where lane.queue_name = purge_queue.queue_name order by lane.lane_id);
    perform symphony._lock_lane(lane_id) from unnest(v_lanes) as lane_id;
    v_finished := symphony._finished_transactions();
    if seen is not null then
        v_finished := v_finished * symphony._seen_transactions(seen);
    end if;
    perform symphony._free_keys(array(
        select m.message_id
        from symphony.idempotency_key as k
        join symphony.message as m on m.message_id = k.message_id and m.txid <@ v_finished
        cross join symphony._position(m.lane_id) as p
        where k.queue_name = purge_queue.queue_name
          and m.lane_id = any (v_lanes)
          and symphony._is_ahead(m.txid, m.message_id, p.ahead, p.partial_txid, p.partial_message_id)));
    v_dropped := symphony._purge_parked(queue_name, v_finished);
    with dropped as (
        insert into symphony.claim (
            lane_id, claimed_at, lease_until, finished_at, size, passed, open_ids, ahead, partial_txid,
            partial_message_id)
        select lane_id, symphony._now(), symphony._now(), symphony._now(), 0,
               (select depth.pending from symphony._depth(lane_id, null) as depth)
               - (select count(*)
                  from unnest((p.ahead - v_finished) * '{(,9223372036854775807)}') as part
                  cross join lateral symphony._run(lane_id, part, 0, null) as m
                  where symphony._is_ahead(m.txid, m.message_id, p.ahead, p.partial_txid,
                                           p.partial_message_id)),
               '{}', p.ahead - v_finished, rest.partial_txid, rest.partial_message_id
        from unnest(v_lanes) as lane_id
        cross join symphony._position(lane_id) as p
        left join lateral (    -- a transaction that a claim ended in the middle of, and nobody has seen
            select p.partial_txid, p.partial_message_id where not p.partial_txid <@ v_finished
        ) as rest on true
        where exists (select from symphony._pending(lane_id, 1, v_finished))
        returning claim.passed
    )
    select v_dropped + coalesce(sum(dropped.passed), 0) into v_dropped from dropped;
    if v_dropped > 0 then
        perform symphony._audit(
            'purge_queue', jsonb_build_object('queue_name', queue_name, 'seen', seen), v_dropped);
    end if;
    return v_dropped;
end;
$$;

comment on function symphony.purge_queue is
$$Drop all pending messages of a queue at once. They are counted, half a second for a million, and not
written. Delayed ones stay, and those being processed. The idempotency keys of what is dropped are
free then.

Arguments  queue_name - the queue
           seen - of purge_preview(): what came later stays; null: nothing does
Returns    how many messages were dropped
Raises     SY001 unknown_queue
           SY011 wrong_isolation_level
           22023 invalid_parameter_value - seen is not of purge_preview()
Writes     symphony.claim (a row for each lane with pending messages), symphony.idempotency_key,
           symphony.audit, and what _purge_parked() writes
Locks      the lanes of the queue until the transaction ends
Access     operator$$;
