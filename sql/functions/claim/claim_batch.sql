create or replace function symphony.claim_batch(
    queues       text[] default '{default}',
    batch_size   integer default 10,
    worker       text default null,
    lease        interval default null,
    asynchronous boolean default false,
    slots        integer default null
)
returns table (
    claim_id bigint, message_id bigint, queue_name text, message_type text, body jsonb,
    headers jsonb, priority integer, attempt integer, max_attempts integer, group_key text,
    enqueued_at timestamptz, lease_until timestamptz, alone boolean, has_more boolean, ordered boolean,
    next_at timestamptz
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
/*
 * It locks the first lane that has something, and takes messages in a new statement: only that one sees
 * how far the last holder went.  A lane that is locked elsewhere is waited for if no other had anything,
 * and none is in hand: two workers could wait for each other.
 */
#variable_conflict use_column
declare
    v_lanes    integer[];
    v_lane_id  integer;
    v_lane     record;
    v_busy     integer;
    v_locked   boolean := false;
    v_take     int8multirange;
    v_finished int8multirange;
    v_first    int8range;
begin
    perform symphony._check_claim(queues, batch_size, lease), symphony._end_when_idle(asynchronous);
    v_lanes := array(select lane_id from symphony._lanes(claim_batch.queues));
    v_lanes := case when cardinality(v_lanes) > 8 then symphony._filled_lanes(v_lanes) else v_lanes end;
    v_finished := case when cardinality(v_lanes) > 1 then symphony._finished_transactions() end;
    for i in 1 .. cardinality(v_lanes) + 1 loop
        v_lane_id := coalesce(v_lanes[i], v_busy);
        continue when v_lane_id is null or i < cardinality(v_lanes) + num_nonnulls(v_busy)
            and not symphony._has_pending(array[v_lane_id], v_finished);
        if not symphony._lock_lane(v_lane_id, wait => i > cardinality(v_lanes) and not v_locked) then
            v_busy := coalesce(v_busy, v_lane_id);
            continue;
        end if;
        v_take := symphony._finished_transactions();
        select *, symphony._now() as now into v_lane
        from symphony._lane_settings(v_lane_id), symphony._position(v_lane_id);
        if v_lane.is_gated or v_lane.expires then
            return query select * from symphony._claim_gated(
                v_lane_id, batch_size, worker, lease, not v_locked, slots, v_lanes[i + 1:] || v_busy, v_take)
            where not v_lane.expires
            union all
            select * from symphony._claim_expiring(v_lane_id, batch_size, worker, lease, not v_locked, slots,
                                                   v_lanes[i + 1:] || v_busy) where v_lane.expires;
            if found then return; end if;
        end if;
        v_locked := true;
        v_take := v_lane.ahead * v_take;
        continue when v_lane.is_gated or v_lane.expires or isempty(v_take);
        v_first := symphony._first_run(v_take, v_lane.partial_txid);
        return query with batch as materialized (
            select * from symphony._runs(v_lane_id, v_take, v_first, v_lane.partial_message_id, batch_size)
        ), taken as (
            select array_agg(message_id) as ids, (array_agg(txid))[batch_size] as last_txid,
                   (array_agg(message_id))[batch_size] as last_message_id,
                   avg(date_part('epoch', coalesce(available_at, enqueued_at))) as due_at
            from batch having count(*) > 0
        ), claimed as (
            insert into symphony.claim (lane_id, worker, claimed_at, lease_until, size, open_ids, waited,
                                        ahead, partial_txid, partial_message_id)
            select v_lane_id, claim_batch.worker, v_lane.now,
                   v_lane.now + coalesce(claim_batch.lease, v_lane.lease), cardinality(ids), ids,
                   greatest(date_part('epoch', v_lane.now) - due_at, 0),
                   v_lane.ahead - symphony._drained(v_take, v_first, last_txid), last_txid, last_message_id
            from taken
            returning claim_id, lease_until, v_busy is not null or size = batch_size and symphony._has_rest(
                    v_lane_id, v_take, v_first, partial_txid, partial_message_id)
                or i < cardinality(v_lanes) and symphony._has_pending(v_lanes[i + 1:], v_finished) as has_more
        )
        select claimed.claim_id, batch.message_id, v_lane.queue_name, batch.message_type, batch.body,
               batch.headers, v_lane.priority::integer, batch.attempt + 1,
               case when batch.retry is null and not v_lane.by_type then v_lane.max_attempts
                    else symphony._max_attempts(batch.message_type, batch.retry, v_lane.max_attempts)
               end, batch.group_key, batch.enqueued_at, claimed.lease_until, v_lane.alone, claimed.has_more,
               false, null::timestamptz
        from claimed, batch;
        if found then return; end if;
    end loop;
    if symphony._was_copied(claim_batch.queues) then
        return query select * from symphony.claim_batch(queues, batch_size, worker, lease, asynchronous,
                                                        slots);
    end if;
end;
$$;

comment on function symphony.claim_batch is
$$Take the next messages of the first of these queues that has any, for as long as a lease lasts.
Those that were to start earlier, see enqueue(), are not among them: they fail, or are dropped.

Arguments  queues - in order of preference
           batch_size - 1 to 1000
           worker - a name for people and statistics
           lease - how long the messages are held; null: as long as the queue says
           asynchronous - true: the commit waits neither for the disk nor for a standby, so that
               the lane is locked for a shorter time (synchronous_commit is off until the
               transaction ends). A crash of the server may forget the claim, and then the messages
               are handed out again; it may also forget whatever else this transaction has written
           slots - how many messages the worker could start now; null: all. Of a queue with a limit
               of concurrency, or a rate, it gets no more, and one at least: what waits in one hand
               keeps others idle
Returns    the messages in the order of their lane, all under one claim_id. Without a row there is
               nothing to do now. The claim may be smaller than batch_size although more messages
               wait
           claim_id - the claim, by which to settle them
           message_id - the message
           queue_name - the queue it came from
           message_type - selects the handler
           body - as it was enqueued
           headers - as they were enqueued
           priority - 0 to 9
           attempt - counts deliveries, this one included
           max_attempts - deliveries before it fails for good
           group_key - what it belongs to
           enqueued_at - when enqueue() was called
           lease_until - until when the claim is held
           alone - true: the message was in the hands of a worker that vanished, and may have been
               the cause. Hold nothing else while you work on it
           has_more - false: nothing else can be handed out of these queues now; true: claim again
           ordered - true: work on the messages of this claim that have the same group_key one
               after the other, in the order of the rows
           next_at - when a rate of the queue allows more; null: now, or it has none
Raises     SY001 unknown_queue
           SY011 wrong_isolation_level - any but read committed
           SY012 still_replicated
           22023 invalid_parameter_value
           42501 insufficient_privilege - the role may use other queues only
Writes     symphony.claim (inserts one row); what _claim_gated() writes, if the queue has limits;
           what _claim_expiring() writes, if messages of the lane expire
Locks      the lane until the transaction ends: commit at once. An idle transaction is ended after
           10 seconds. It waits for a lane that another session holds only if no other has messages
Access     consumer$$;
