create or replace function symphony._wake_for_freed_keys()
returns void
language sql
volatile
as $$
    select symphony._wake_workers(array(
        select distinct lane.lane_id
        from symphony.freed_key
        join symphony.lane on lane.queue_name operator(pg_catalog.=) freed_key.queue_name and lane.is_used))
$$;

comment on function symphony._wake_for_freed_keys is
$$Notify workers that sleep of the queues of which a key was let go and not looked at since.

Writes     NOTIFY on symphony:<queue>, when the transaction commits
Access     private$$;
