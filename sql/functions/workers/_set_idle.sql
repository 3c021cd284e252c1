create or replace function symphony._set_idle(queue_name text, worker text, is_idle boolean)
returns boolean
language plpgsql
volatile
as $$
/*
 * Workers of one queue take turns; the rows before the newest are of no use, and whoever comes next
 * removes them.
 */
declare
    v_workers text[];
    v_idle_id bigint;
begin
    perform symphony._take_turn('sleep:' || _set_idle.queue_name, wait => true);
    select idle_worker.workers into v_workers
    from symphony.idle_worker
    where idle_worker.queue_name = _set_idle.queue_name
    order by idle_worker.idle_id desc
    limit 1;
    if (_set_idle.worker = any (v_workers)) is true = is_idle then
        return false;
    end if;
    insert into symphony.idle_worker (queue_name, workers)
    values (_set_idle.queue_name,
            array_remove(v_workers, _set_idle.worker)
            || case when is_idle then array[_set_idle.worker] else '{}' end)
    returning idle_worker.idle_id into v_idle_id;
    delete from symphony.idle_worker
    where idle_worker.queue_name = _set_idle.queue_name and idle_worker.idle_id < v_idle_id;
    return true;
end;
$$;

comment on function symphony._set_idle(text, text, boolean) is
$$Note that a worker sleeps until something comes to a queue, or that it sleeps no longer.

Arguments  queue_name
           worker
           is_idle
Returns    whether that is news
Writes     symphony.idle_worker, if that is news
Access     private$$;

revoke execute on function symphony._set_idle(text, text, boolean) from public;
