create or replace function symphony._purge(now timestamptz)
returns integer
language plpgsql
volatile
as $$
declare
    v_purged integer;
begin
    select coalesce(sum(symphony._purge_lane(lane.lane_id, _purge.now - queue.retention)), 0)
    into v_purged
    from symphony.lane
    join symphony.queue on queue.queue_name = lane.queue_name;
    v_purged := v_purged + symphony._purge_failed(now);

    delete from symphony.idempotency_key as free
    using (select k.queue_name, k.key
           from symphony.idempotency_key as k
           where k.expires_at <= _purge.now
           for update skip locked) as known
    where free.queue_name = known.queue_name and free.key = known.key;
    delete from symphony.schedule_run where schedule_run.fired_at < _purge.now - interval '30 days';
    delete from symphony.tick where tick.ticked_at < _purge.now - interval '1 hour';
    perform symphony.stop_worker(worker.worker)
    from symphony.worker
    where worker.seen_at < _purge.now - interval '60 seconds';
    return v_purged;
end;
$$;

comment on function symphony._purge(timestamptz) is
$$Remove what has been kept for long enough: completed messages, failed ones where the queue says so,
idempotency keys, runs of schedules, silent workers.

Arguments  now
Returns    how many messages were removed. If it is 10,000 or more, others may be left
Access     private$$;

revoke execute on function symphony._purge(timestamptz) from public;
