create or replace function symphony._may_speak_for(worker text)
returns boolean
language sql
stable
as $$
    select not symphony._is_limited() or not exists (
        select from symphony.worker as known
        cross join lateral pg_catalog.unnest(known.queues) as consumed (queue_name)
        where known.worker operator(pg_catalog.=) _may_speak_for.worker
          and not symphony._is_listed('{consumer}', consumed.queue_name))
$$;

comment on function symphony._may_speak_for(text) is
$$Whether the caller may say something of a worker: all queues that it consumes are the caller's, too.

Arguments  worker - its name
Access     private$$;

revoke execute on function symphony._may_speak_for(text) from public;
