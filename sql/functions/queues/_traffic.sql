create or replace function symphony._traffic(of_queue text, now timestamptz, at_most integer)
returns table (
    queue_name text, pending bigint, processing bigint, claimed_minute bigint, claimed_hour bigint,
    finished_minute bigint, finished_hour bigint, retried_hour bigint, failed_hour bigint,
    arrived_hour bigint, inflow double precision, outflow double precision, waiting interval,
    working interval, is_counted boolean, is_read boolean
)
language plpgsql
stable
as $$
/*
 * Figures tell what happened up to the last fold, the claims since then what happened after it.  Of the
 * minute that is only partly within the last one, that share counts.
 */
#variable_conflict use_column
declare
    v_hour   timestamptz := _traffic.now - interval '1 hour';
    v_lately timestamptz := date_trunc('minute', _traffic.now) - interval '5 minutes';
    v_before timestamptz := _traffic.now - interval '2 minutes';
    v_span   double precision := extract(epoch from _traffic.now - v_lately) / 60;
begin
    return query
    with live as materialized (
        select * from symphony._live(of_queue, at_most)
    ), arrival as materialized (
        select * from symphony._arrivals(of_queue, at_most)
    ), event as materialized (
        select lane.queue_name, f.begins_at as at, true as is_minute, f.arrived, f.claimed, f.completed,
               f.retried, f.failed, f.waited_seconds as waited,
               f.completed + f.retried + f.failed + f.returned as ended, f.worked_seconds as worked
        from symphony.lane
        join symphony.figure as f on f.lane_id = lane.lane_id
        where lane.queue_name = coalesce(of_queue, lane.queue_name)
          and lane.is_used and not f.is_hour and f.begins_at > v_hour
        union all
        select l.queue_name, l.claimed_at, false, 0, l.size, 0, 0, 0, l.waited * l.size, 0, 0
        from live as l where l.is_new and l.claimed_at > v_hour
        union all
        select l.queue_name, coalesce(l.finished_at, l.claimed_at), false, 0, 0,
               case when l.is_over then l.size - l.retried - l.failed - l.returned else 0 end,
               l.retried, l.failed, 0, case when l.is_over then l.size else 0 end,
               coalesce(l.worked * l.size, 0)
        from live as l where coalesce(l.finished_at, l.claimed_at) > v_hour
        union all
        select a.queue_name, _traffic.now, false, a.arrived - a.folded, 0, 0, 0, 0, 0, 0, 0
        from arrival as a
    ), last_minute as (
        select e.queue_name, round(sum(e.claimed * s.share)) as claimed,
               round(sum(e.completed * s.share)) as completed
        from event as e
        cross join lateral (
            select case when e.is_minute then least(extract(epoch from e.at - v_before) / 60, 1)
                        else (e.at > _traffic.now - interval '1 minute')::integer end as share
        ) as s
        where e.at > v_before
        group by 1
    ), summed as (
        select e.queue_name,
               sum(e.claimed) as claimed_hour, sum(e.completed) as finished_hour,
               sum(e.retried) as retried_hour, sum(e.failed) as failed_hour, sum(e.arrived) as arrived_hour,
               sum(e.arrived) filter (where e.at >= v_lately) / v_span as inflow,
               sum(e.claimed) filter (where e.at >= v_lately) / v_span as outflow,
               sum(e.waited) / nullif(sum(e.claimed), 0) as waiting,
               sum(e.worked) / nullif(sum(e.ended), 0) as working
        from event as e
        group by 1
    ), held as (
        select l.queue_name, sum(l.open) as open, count(*) < at_most as is_read from live as l group by 1
    )
    select s.queue_name, a.pending, coalesce(held.open, 0), coalesce(m.claimed, 0)::bigint,
           s.claimed_hour, coalesce(m.completed, 0)::bigint, s.finished_hour, s.retried_hour,
           s.failed_hour, s.arrived_hour::bigint,
           s.inflow::double precision, s.outflow::double precision, s.waiting * interval '1 second',
           s.working * interval '1 second', a.is_exact, coalesce(held.is_read, true)
    from summed as s
    join arrival as a using (queue_name)
    left join last_minute as m using (queue_name)
    left join held using (queue_name);
end;
$$;

comment on function symphony._traffic(text, timestamptz, integer) is
$$What is pending, and what happened lately, for queue_stats().

Arguments  of_queue - null: all queues
           now
           at_most - as for _arrivals()
Returns    a row for each queue
           pending - messages to be handed out
           inflow, outflow - messages a minute that came in and were handed out, over the last 5
               minutes
           is_counted - false: there may be more that are pending
           is_read - false: there are claims that were not read
Access     private$$;

revoke execute on function symphony._traffic(text, timestamptz, integer) from public;
