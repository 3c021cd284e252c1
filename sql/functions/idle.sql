create or replace function symphony.idle(worker text, queues text[])
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
/*
 * A producer that looked before this was committed does not notify, though it may commit
 * its message later.  It was running then: once every transaction of that moment has ended,
 * nothing can be missed any more.
 */
begin
    if coalesce(worker, '') = '' then
        raise exception 'worker must be a name'
            using errcode = '22023',
                  detail  = 'It is null or empty.',
                  hint    = 'Give the name that the worker claims with.';
    end if;
    perform symphony._set_idle(queue_name, idle.worker, true)
    from (select distinct unnest(idle.queues) as queue_name order by 1) as wanted;
    return (
        select coalesce(max(idle_worker.since), 0)
        from symphony.idle_worker
        where idle_worker.queue_name = any (idle.queues)
    ) <= pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
end;
$$;

comment on function symphony.idle(text, text[]) is
$$Say that a worker sleeps, so that enqueue() notifies it on symphony:<queue>.

Arguments  worker - the name it claims with; queues - those it listens to
Returns    false: a message may still come unannounced, so claim again soon and call this again; true: it may sleep
Raises     22023 bad argument
Writes     symphony.idle_worker, if that is news
Access     consumer$$;

revoke execute on function symphony.idle(text, text[]) from public;
