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
 * Figures tell what happened up to the last fold, the claims since then what happened after it.  Of a
 * minute that is only partly within the last hour, or the last minute, that share counts.
 */
#variable_conflict use_column
declare
    v_lately timestamptz := date_trunc('minute', _traffic.now) - interval '5 minutes';
begin
    return query
    with live as materialized (
        select * from symphony._live(of_queue, at_most)
    ), arrival as materialized (
        select * from symphony._arrivals(of_queue, at_most)
    ), event as (
        select lane.queue_name, f.begins_at as at, 60 as seconds, f.arrived, f.claimed, f.completed,
               f.retried, f.failed, f.waited_seconds as waited,
               f.completed + f.retried + f.failed + f.returned as ended, f.worked_seconds as worked
        from symphony.lane
        join symphony.figure as f on f.lane_id = lane.lane_id
        where lane.queue_name = coalesce(of_queue, lane.queue_name)
          and not f.is_hour and f.begins_at > _traffic.now - interval '61 minutes'
        union all
        select l.queue_name, l.claimed_at, 0, 0, l.size, 0, 0, 0, l.waited * l.size, 0, 0
        from live as l where l.is_new
        union all
        select l.queue_name, coalesce(l.finished_at, l.claimed_at), 0, 0, 0,
               case when l.is_over then l.size - l.retried - l.failed - l.returned else 0 end,
               l.retried, l.failed, 0, case when l.is_over then l.size else 0 end,
               coalesce(l.worked * l.size, 0)
        from live as l
        union all
        select a.queue_name, _traffic.now, 0, a.arrived - a.folded, 0, 0, 0, 0, 0, 0, 0 from arrival as a
    ), share as (
        select e.*,
               greatest(least(61 - s.age / 60, 1), 0) * (e.seconds > 0 or s.age < 3600)::integer as of_hour,
               greatest(least(2 - s.age / 60, 1), 0) * (e.seconds > 0 or s.age < 60)::integer as of_minute,
               (e.at >= v_lately)::integer as of_lately
        from event as e
        cross join lateral (select extract(epoch from _traffic.now - e.at)::double precision as age) as s
    ), summed as (
        select s.queue_name,
               round(sum(s.claimed * s.of_minute))::bigint as claimed_minute,
               round(sum(s.claimed * s.of_hour))::bigint as claimed_hour,
               round(sum(s.completed * s.of_minute))::bigint as finished_minute,
               round(sum(s.completed * s.of_hour))::bigint as finished_hour,
               round(sum(s.retried * s.of_hour))::bigint as retried_hour,
               round(sum(s.failed * s.of_hour))::bigint as failed_hour,
               round(sum(s.arrived * s.of_hour))::bigint as arrived_hour,
               sum(s.arrived * s.of_lately) / (extract(epoch from _traffic.now - v_lately) / 60) as inflow,
               sum(s.claimed * s.of_lately) / (extract(epoch from _traffic.now - v_lately) / 60) as outflow,
               sum(s.waited * s.of_hour) / nullif(sum(s.claimed * s.of_hour), 0) as waiting,
               sum(s.worked * s.of_hour) / nullif(sum(s.ended * s.of_hour), 0) as working
        from share as s
        group by 1
    ), held as (
        select l.queue_name, sum(l.open) as open, count(*) < at_most as is_read from live as l group by 1
    )
    select s.queue_name, a.pending, coalesce(held.open, 0), s.claimed_minute, s.claimed_hour,
           s.finished_minute, s.finished_hour, s.retried_hour, s.failed_hour, s.arrived_hour,
           s.inflow::double precision, s.outflow::double precision, s.waiting * interval '1 second',
           s.working * interval '1 second', a.is_exact, coalesce(held.is_read, true)
    from summed as s
    join arrival as a using (queue_name)
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
