create or replace function symphony._lane_settings(lane_id integer)
returns table (
    queue_name text, priority smallint, alone boolean, lease interval,
    max_attempts integer, by_type boolean, is_gated boolean
)
language sql
stable
as $$
    select lane.queue_name, lane.priority, lane.alone, queue.lease,
           coalesce(queue.max_attempts, (
               select retry_policy.max_attempts from symphony.retry_policy
               where retry_policy.pattern operator(pg_catalog.=) '*')),
           exists (select from symphony.retry_policy
                   where retry_policy.pattern operator(pg_catalog.<>) '*'),
           lane.is_gated
    from symphony.lane
    join symphony.queue on queue.queue_name operator(pg_catalog.=) lane.queue_name
    where lane.lane_id operator(pg_catalog.=) _lane_settings.lane_id
$$;

comment on function symphony._lane_settings(integer) is
$$What a claim has to know of its lane and queue.

Arguments  lane_id
Returns    max_attempts - unless a message or its type has others
           by_type - true: some type may have others
           is_gated - true: the queue is ordered or has limits
Access     private$$;

revoke execute on function symphony._lane_settings(integer) from public;
