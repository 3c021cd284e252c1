create or replace function symphony._may_speak_for(worker text)
returns boolean
language sql
stable
as $$
    select not exists (
        select from (
            select pg_catalog.unnest(known.queues) as queue_name
            from symphony.worker as known
            where known.worker operator(pg_catalog.=) _may_speak_for.worker
            union all
            select sleeping.queue_name
            from symphony.idle_worker as sleeping
            where _may_speak_for.worker operator(pg_catalog.=) any (sleeping.workers)
        ) as consumed
        where not symphony._is_listed('{consumer}', consumed.queue_name))
$$;

comment on function symphony._may_speak_for is
$$Whether a caller who is limited to some queues may say something of a worker: all queues that it
consumes are the caller's, too.

Arguments  worker - its name
Access     private$$;
