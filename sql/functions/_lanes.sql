create or replace function symphony._lanes(queues text[], except_lanes integer[])
returns table (
    lane_id integer, alone boolean, queue_name text, priority smallint,
    max_attempts integer, lease interval, by_type boolean
)
language sql
stable
as $$
    select lane.lane_id, lane.alone, wish.queue_name, lane.priority,
           coalesce(wish.max_attempts, policy.base), wish.lease, policy.by_type
    from (
        select queue.queue_name, queue.max_attempts, queue.lease, given.rank
        from pg_catalog.unnest(queues) with ordinality as given (queue_name, rank)
        join symphony.queue on queue.queue_name operator(pg_catalog.=) given.queue_name
        where queue.paused_at is null
        offset 0
    ) as wish
    cross join (
        select pg_catalog.min(retry_policy.max_attempts) filter (
                   where retry_policy.pattern operator(pg_catalog.=) '*') as base,
               pg_catalog.count(*) operator(pg_catalog.>) 1 as by_type
        from symphony.retry_policy
    ) as policy
    join symphony.lane on lane.queue_name operator(pg_catalog.=) wish.queue_name
    where (lane.is_used or lane.lane_id in (select lane_use.lane_id from symphony.lane_use))
      and not lane.is_held
      and lane.lane_id operator(pg_catalog.<>) all (except_lanes)
    order by wish.rank, lane.priority desc, lane.alone desc
    offset 0
$$;

comment on function symphony._lanes(text[], integer[]) is
$$The lanes a worker may claim from, best first: by queue, by priority, and then those held back by
a crash.

Arguments  queues - in order of preference; except_lanes - those already tried
Returns    max_attempts - unless a message or its type has others; by_type - some type may
Access     private$$;

revoke execute on function symphony._lanes(text[], integer[]) from public;
