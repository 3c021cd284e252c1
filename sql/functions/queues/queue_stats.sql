create or replace function symphony.queue_stats(
    inout queue_name text default null,
    out paused boolean, out pending bigint, out delayed bigint, out processing bigint,
    out failed bigint, out oldest_pending_age interval, out claimed_last_minute bigint,
    out claimed_last_hour bigint, out finished_last_minute bigint, out finished_last_hour bigint,
    out retried_last_hour bigint, out mean_waiting interval, out mean_processing interval,
    out idle_workers integer, out purge_waits_for text, out at_least text[], out waiting bigint,
    out paused_at timestamptz, out paused_by text,
    out failed_last_hour bigint, out arrived_last_hour bigint, out inflow double precision,
    out outflow double precision, out backlog_lasts interval, out why_at_least text
)
returns setof record
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
/*
 * A look costs about the same whatever there is: it counts at most 20,000 messages of a kind, evenly
 * in all queues, and at_least names the figures where it stopped.
 */
#variable_conflict use_column
declare
    v_now  timestamptz := symphony._now();
    v_most integer := 10000;
begin
    if queue_stats.queue_name is null then
        v_most := symphony._most_counted();
    elsif not exists (select from symphony.queue where queue.queue_name = queue_stats.queue_name) then
        perform symphony._refuse_queue(queue_stats.queue_name);
    end if;
    return query
    select q.queue_name, q.paused_at is not null, coalesce(t.pending, 0), n.delayed,
           coalesce(t.processing, 0), n.failed, v_now - n.oldest,
           coalesce(t.claimed_minute, 0), coalesce(t.claimed_hour, 0),
           coalesce(t.finished_minute, 0), coalesce(t.finished_hour, 0),
           coalesce(t.retried_hour, 0), t.waiting, t.working,
           symphony._sleeping_workers(q.queue_name),
           (select o.obstacle from symphony._purge_obstacle(q.queue_name, v_now) as o),
           case when t.is_counted then '{}' else '{pending}' end::text[]
           || case when n.delayed >= v_most then '{delayed}' else '{}' end::text[]
           || case when n.failed >= v_most then '{failed}' else '{}' end::text[]
           || case when t.is_read then '{}' else
                  '{processing,claimed_last_minute,finished_last_minute,claimed_last_hour,'
                  'finished_last_hour,retried_last_hour,failed_last_hour}' end::text[]
           || case when n.waiting >= v_most then '{waiting}' else '{}' end::text[],
           n.waiting, q.paused_at, q.paused_by,
           coalesce(t.failed_hour, 0), coalesce(t.arrived_hour, 0), coalesce(t.inflow, 0),
           coalesce(t.outflow, 0),
           case when t.pending > 0 and t.outflow > t.inflow
                then t.pending / (t.outflow - t.inflow) * interval '1 minute' end,
           case when not t.is_counted or not t.is_read then symphony._count_remark(v_now) end
    from symphony.queue as q
    cross join lateral symphony._content(q.queue_name, v_most) as n
    left join symphony._traffic(queue_stats.queue_name, v_now, v_most) as t on t.queue_name = q.queue_name
    where q.queue_name = coalesce(queue_stats.queue_name, q.queue_name)
    order by q.queue_name;
end;
$$;

comment on function symphony.queue_stats is
$$What is in the queues, and what happened in them lately.

Arguments  queue_name - the queue; null: all of them
Returns    a row for each queue
           queue_name - the queue
           paused - whether nothing is handed out
           pending - messages that wait for a worker, all of them unless at_least says otherwise
           delayed - messages that wait for their time
           processing - messages in the hands of workers
           failed - messages that failed for good
           oldest_pending_age - for how long the message at the head has been due
           claimed_last_minute, claimed_last_hour - messages that were handed out
           finished_last_minute, finished_last_hour - messages that were acknowledged
           retried_last_hour - messages that came back after an error
           mean_waiting - from due to claimed, over the last hour
           mean_processing - from claimed to settled, over the last hour
           idle_workers - those that sleep until they are notified
           purge_waits_for - what keeps completed messages from being purged though their retention
               is over: a claim, a transaction, or a message that waits for its key; null: nothing
               does
           at_least - names of those figures that say only: so many at least. Delayed, failed and
               waiting messages are counted up to 10,000 in a queue, and up to 20,000 in all,
               evenly. So are pending ones and claims that came since tick() counted them. Where
               pending is named, arrived_last_hour and inflow may be greater, too
           waiting - messages that wait for others of their key, in a queue that is ordered or
               limits its keys. They are not among the pending ones
           paused_at - since when nothing is handed out; null: it is not paused
           paused_by - who paused it: the role, and the actor if one was told
           failed_last_hour - messages that failed for good
           arrived_last_hour - messages that came in: enqueued, due after a delay or a retry, or
               given back
           inflow - messages a minute that came in, over the last 5 minutes
           outflow - messages a minute that were handed out, over the last 5 minutes
           backlog_lasts - how long what is pending lasts, if that goes on; null: nothing is
               pending, or it does not become less
           why_at_least - why not all that is pending, or was claimed, is counted; null: it is
Raises     SY001 unknown_queue
Access     operator, observer$$;
