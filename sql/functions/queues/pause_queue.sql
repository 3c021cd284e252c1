create or replace function symphony.pause_queue(queue_name text)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform symphony._check_queues(array[pause_queue.queue_name]);
    update symphony.queue as q
    set paused_at = symphony._now(), paused_by = symphony._signature()
    where q.queue_name = pause_queue.queue_name and q.paused_at is null;
    if not found then
        return false;
    end if;
    perform symphony._audit('pause_queue', jsonb_build_object('queue_name', queue_name));
    return true;
end;
$$;

comment on function symphony.pause_queue is
$$Stop handing out messages of a queue. What is being processed goes on, and so does enqueue().

Arguments  queue_name - the queue
Returns    true, or false if it was paused already
Raises     SY001 unknown_queue
Writes     symphony.queue, symphony.audit
Access     operator$$;
