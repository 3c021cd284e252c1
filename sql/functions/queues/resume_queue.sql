create or replace function symphony.resume_queue(queue_name text)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_changed boolean;
begin
    update symphony.queue as q
    set paused_at = null, paused_by = null
    where q.queue_name = resume_queue.queue_name and q.paused_at is not null;
    v_changed := found;
    perform symphony._check_queues(array[resume_queue.queue_name]);
    perform symphony._wake_workers(
        array(select lane.lane_id from symphony.lane where lane.queue_name = resume_queue.queue_name));
    if v_changed then
        perform symphony._audit('resume_queue', jsonb_build_object('queue_name', queue_name));
    end if;
    return v_changed;
end;
$$;

comment on function symphony.resume_queue is
$$Hand out messages of a paused queue again.

Arguments  queue_name - the queue
Returns    true, or false if it was running already
Raises     SY001 unknown_queue
Writes     symphony.queue, symphony.audit; NOTIFY if a worker of the queue sleeps
Access     operator$$;
