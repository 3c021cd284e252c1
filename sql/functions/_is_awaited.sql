create or replace function symphony._is_awaited(queue_name text)
returns boolean
language sql
stable
as $$
    select coalesce((
        select idle_worker.workers operator(pg_catalog.<>) '{}'
        from symphony.idle_worker
        where idle_worker.queue_name operator(pg_catalog.=) _is_awaited.queue_name
        order by idle_worker.queue_name desc, idle_worker.idle_id desc
        limit 1
    ), false)
$$;

comment on function symphony._is_awaited(text) is
$$Whether a worker sleeps until it is notified of a message in this queue.

Arguments  queue_name
Returns    the newest row of symphony.idle_worker tells
Access     private$$;

revoke execute on function symphony._is_awaited(text) from public;
