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
 * It locks the first lane that has something; what it takes is read by later statements, which see how far
 * the last holder went.  A lane that is locked elsewhere is waited for if no other had anything, and none
 * is in hand: two workers could wait for each other.  While lane_use names any lane, all are looked into:
 * tick() will soon have marked it.
 */
#variable_conflict use_column
declare
    v_lanes    integer[];
    v_lane_id  integer;
    v_busy     integer;
    v_locked   boolean := false;
    v_finished int8multirange;
begin
    if symphony._has_limits() or current_setting('transaction_isolation') not like 'read%'
       or batch_size is null or batch_size not between 1 and 1000
       or lease not between '100 milliseconds' and '1 day'
    then
        perform symphony._check_claim(queues, batch_size, lease);
    end if;
    if current_setting('idle_in_transaction_session_timeout')::interval not between '1 ms' and '10 s' then
        perform set_config('idle_in_transaction_session_timeout', '10s', true);
    end if;
    if asynchronous then
        perform set_config('synchronous_commit', 'off', true);
    end if;
    v_lanes := array(
        select lane.lane_id
        from unnest(queues) with ordinality as given (queue_name, rank)
        join symphony.queue on queue.queue_name = given.queue_name
        join symphony.lane on lane.queue_name = given.queue_name
        where queue.paused_at is null and not lane.is_held
          and exists (select from symphony._home())
          and (lane.is_used or exists (select from symphony.lane_use))
        order by given.rank, lane.priority desc, lane.alone desc);
    if cardinality(v_lanes) > 1 then
        v_lanes := case when cardinality(v_lanes) > 8 then symphony._filled_lanes(v_lanes) else v_lanes end;
        v_finished := symphony._finished_transactions();
    end if;
    for i in 1 .. cardinality(v_lanes) + 1 loop
        v_lane_id := coalesce(v_lanes[i], v_busy);
        continue when v_lane_id is null or i < cardinality(v_lanes) + num_nonnulls(v_busy)
            and not symphony._has_pending(array[v_lane_id], v_finished);
        if i > cardinality(v_lanes) and not v_locked then
            perform symphony._lock_lane(v_lane_id);
        elsif not (pg_try_advisory_xact_lock_shared(1398361424, 0)
                   and pg_try_advisory_xact_lock(1398361424, v_lane_id))
        then
            v_busy := coalesce(v_busy, v_lane_id);
            continue;
        end if;
        return query select * from symphony._claim_lane(
            v_lane_id, batch_size, worker, lease, not v_locked, slots,
            array_remove(v_lanes[i + 1:] || v_busy, null));
        if found then return; end if;
        v_locked := true;
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
