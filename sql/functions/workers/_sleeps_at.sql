create or replace function symphony._sleeps_at(worker text)
returns text[]
language sql
stable
as $$
    select array(select distinct idle_worker.queue_name
                 from symphony.idle_worker
                 where _sleeps_at.worker operator(pg_catalog.=) any (idle_worker.workers))
$$;

comment on function symphony._sleeps_at is
$$At which queues a worker may have said that it sleeps.

Arguments  worker - its name
Returns    the queues of all rows of idle_worker that name it, outdated ones too
Access     private$$;
