create or replace function symphony._sleeping_workers(queue_name text)
returns integer
language plpgsql
stable
as $$
begin
    if pg_is_in_recovery() then    -- a standby has no unlogged tables, and nobody sleeps there
        return 0;
    end if;
    return coalesce((
        select cardinality(i.workers) from symphony.idle_worker as i
        where i.queue_name = _sleeping_workers.queue_name
        order by i.idle_id desc
        limit 1), 0);
end;
$$;

comment on function symphony._sleeping_workers is
$$How many workers of a queue sleep until they are notified.

Arguments  queue_name
Access     private$$;
