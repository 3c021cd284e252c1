create or replace function symphony._set_idle(queue_names text[], worker text, is_idle boolean)
returns boolean
language plpgsql
volatile
as $$
/*
 * Workers of one queue take turns, and queues share a few locks, since a
 * worker may consume thousands of them.  The rows before the newest are of no use, and whoever comes
 * next removes them.
 */
declare
    v_news bigint;
begin
    perform symphony._take_turn(slot.turn_name, wait => true)
    from (select distinct symphony._sleep_turn(queue_name) as turn_name
          from unnest(_set_idle.queue_names) as queue_name order by turn_name) as slot;
    with news as (
        select wanted.queue_name, newest.workers
        from (select distinct unnest(_set_idle.queue_names) as queue_name) as wanted
        left join lateral (
            select idle_worker.workers
            from symphony.idle_worker
            where idle_worker.queue_name = wanted.queue_name
            order by idle_worker.idle_id desc
            limit 1
        ) as newest on true
        where (_set_idle.worker = any (newest.workers)) is true <> is_idle
    ), told as (
        insert into symphony.idle_worker (queue_name, workers)
        select news.queue_name,
               array_remove(news.workers, _set_idle.worker)
               || case when is_idle then array[_set_idle.worker] else '{}' end
        from news
        returning idle_worker.queue_name, idle_worker.idle_id
    ), outdated as (
        delete from symphony.idle_worker
        where idle_worker.ctid = any (array(
            select old.ctid
            from told
            cross join lateral (
                select o.ctid
                from symphony.idle_worker as o
                where o.queue_name = told.queue_name and o.idle_id < told.idle_id
                order by o.idle_id    -- so that it is looked up for each queue, whatever there was
            ) as old))
    )
    select count(*) into v_news from told;
    return v_news > 0;
end;
$$;

comment on function symphony._set_idle is
$$Note that a worker sleeps until something comes to one of these queues, or that it sleeps no longer.

Arguments  queue_names
           worker
           is_idle
Returns    whether that is news for any of them
Writes     symphony.idle_worker, where that is news
Locks      the sleeping workers of these queues, until the transaction ends
Access     private$$;
