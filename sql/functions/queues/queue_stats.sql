create or replace function symphony.queue_stats(
    inout queue_name text default null,
    out paused boolean, out pending bigint, out delayed bigint, out processing bigint,
    out failed bigint, out oldest_pending_age interval, out claimed_last_minute bigint,
    out claimed_last_hour bigint, out finished_last_minute bigint, out finished_last_hour bigint,
    out retried_last_hour bigint, out mean_waiting interval, out mean_processing interval,
    out idle_workers integer
)
returns setof record
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
/*
 * A claim of the last hour has a lease that ended after its beginning, so the index on
 * lease ends finds them all, and those that no tick() has come to yet.  Messages settled by
 * ack() count when their claim is finished.
 */
#variable_conflict use_column
declare
    v_now   timestamptz := symphony._now();
    v_hour  timestamptz := v_now - interval '1 hour';
    v_since timestamptz := least(v_hour, coalesce(
        (select tick.swept_until from symphony.tick order by tick_id desc limit 1), '-infinity'));
begin
    if queue_stats.queue_name is not null and not exists (
        select from symphony.queue where queue.queue_name = queue_stats.queue_name)
    then
        perform symphony._refuse_queue(queue_stats.queue_name);
    end if;
    return query
    with traffic as (
        select lane.queue_name,
               sum(size) filter (where claimed_at > v_now - interval '1 minute') as claimed_minute,
               sum(size) filter (where claimed_at > v_hour) as claimed_hour,
               sum(size - c.retried - c.failed - c.returned)
                   filter (where finished_at > v_now - interval '1 minute') as finished_minute,
               sum(size - c.retried - c.failed - c.returned)
                   filter (where finished_at > v_hour) as finished_hour,
               sum(c.retried) filter (where claimed_at > v_hour) as retried_hour,
               sum(cardinality(c.open_ids)) as processing,
               sum(waited * size) filter (where claimed_at > v_hour)
                   / nullif(sum(size) filter (where claimed_at > v_hour), 0) as waiting,
               sum(extract(epoch from finished_at - claimed_at) * size) filter (where finished_at > v_hour)
                   / nullif(sum(size) filter (where finished_at > v_hour), 0) as working
        from symphony.claim as c
        join symphony.lane on lane.lane_id = c.lane_id
        where c.lease_until > v_since and c.size > 0
        group by lane.queue_name
    )
    select q.queue_name, q.paused_at is not null, p.pending,
           (select count(*) from symphony.delayed_message as d where d.lane_id = any (l.lanes)),
           coalesce(t.processing, 0)::bigint,
           (select count(*) from symphony.failed_message as f where f.lane_id = any (l.lanes)),
           v_now - p.oldest,
           coalesce(t.claimed_minute, 0)::bigint, coalesce(t.claimed_hour, 0)::bigint,
           coalesce(t.finished_minute, 0)::bigint, coalesce(t.finished_hour, 0)::bigint,
           coalesce(t.retried_hour, 0)::bigint,
           t.waiting * interval '1 second', t.working * interval '1 second',
           symphony._sleeping_workers(q.queue_name)
    from symphony.queue as q
    cross join lateral (
        select array_agg(lane.lane_id) as lanes
        from symphony.lane
        where lane.queue_name = q.queue_name
    ) as l
    cross join lateral (
        select count(*) as pending, min(coalesce(m.available_at, m.enqueued_at)) as oldest
        from unnest(l.lanes) as lane (lane_id), symphony._pending(lane.lane_id) as m
    ) as p
    left join traffic as t on t.queue_name = q.queue_name
    where q.queue_name = coalesce(queue_stats.queue_name, q.queue_name)
    order by q.queue_name;
end;
$$;

comment on function symphony.queue_stats(text) is
$$What is in the queues, and what happened in them lately.

Arguments  queue_name - the queue; null: all of them
Returns    a row for each queue
           queue_name - the queue
           paused - whether nothing is handed out
           pending - messages that wait for a worker
           delayed - messages that wait for their time
           processing - messages in the hands of workers
           failed - messages that failed for good
           oldest_pending_age - for how long the oldest pending message has been due
           claimed_last_minute, claimed_last_hour - messages that were handed out
           finished_last_minute, finished_last_hour - messages that were acknowledged
           retried_last_hour - messages that came back after an error
           mean_waiting - from due to claimed, over the last hour
           mean_processing - from claimed to settled, over the last hour
           idle_workers - those that sleep until they are notified
Raises     SY001 unknown_queue
Access     operator, observer$$;

revoke execute on function symphony.queue_stats(text) from public;
