create or replace function symphony._lanes(queues text[])
returns table (lane_id integer)
language sql
stable
as $$
    /* While lane_use names any lane, all are looked into: tick() will soon have marked it. */
    select lane.lane_id
    from pg_catalog.unnest(queues) with ordinality as given (queue_name, rank)
    join symphony.queue on queue.queue_name operator(pg_catalog.=) given.queue_name
    join symphony.lane on lane.queue_name operator(pg_catalog.=) given.queue_name
    where queue.paused_at is null
      and not lane.is_held
      and exists (select from symphony._home())
      and (lane.is_used or exists (select from symphony.lane_use))
    order by given.rank, lane.priority desc, lane.alone desc
$$;

comment on function symphony._lanes is
$$The lanes a worker may claim from, best first: by queue, by priority, and then those held back by a
crash. It names no lane before rebase() has made the positions this server's.

Arguments  queues - in order of preference
Access     private$$;
