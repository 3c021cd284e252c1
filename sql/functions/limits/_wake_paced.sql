create or replace function symphony._wake_paced(from_time timestamptz, now timestamptz)
returns void
language plpgsql
volatile
as $$
/*
 * Whether something waits is asked of the lanes of a queue together: asked of a lane, it would be asked of
 * every lane there is, before its queue is known to have a rate.
 */
begin
    perform symphony._wake_workers(used.lane_ids)
    from symphony.queue
    cross join lateral (
        select array(select lane.lane_id from symphony.lane
                     where lane.queue_name = queue.queue_name and lane.is_used) as lane_ids
    ) as used
    where (queue.rate is not null or queue.key_rate is not null)
      and symphony._paced_until(queue, coalesce(from_time, now - interval '1 second')) <= now
      and symphony._sleeping_workers(queue.queue_name) > 0
      and symphony._has_pending(used.lane_ids);
end;
$$;

comment on function symphony._wake_paced is
$$Notify workers that sleep of queues of which a rate allows the next message since the last tick.

Arguments  from_time - when that was; null: never
           now
Writes     NOTIFY on symphony:<queue>, when the transaction commits
Access     private$$;
