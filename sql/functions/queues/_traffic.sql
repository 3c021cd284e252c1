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
 * minute that is only partly within the last one, that share counts.  They are looked up lane by lane, here
 * and elsewhere: the index of all lanes has those of a week.
 */
#variable_conflict use_column
declare
    v_hour   timestamptz := _traffic.now - interval '1 hour';
    v_lately timestamptz := date_trunc('minute', _traffic.now) - interval '5 minutes';
    v_minute timestamptz := _traffic.now - interval '1 minute';
    v_before timestamptz := _traffic.now - interval '2 minutes';
    v_span   double precision := extract(epoch from _traffic.now - v_lately) / 60;
begin
    return query
    with arrival as materialized (
        select * from symphony._arrivals(of_queue, at_most)
    ), folded as materialized (
        select lane.queue_name, sum(f.arrived) as arrived, sum(f.claimed) as claimed,
               sum(f.completed) as completed, sum(f.retried) as retried, sum(f.failed) as failed,
               sum(f.completed + f.retried + f.failed + f.returned) as ended,
               sum(f.waited_seconds::double precision) as waited,
               sum(f.worked_seconds::double precision) as worked,
               sum(f.arrived) filter (where f.begins_at >= v_lately) as arrived_lately,
               sum(f.claimed) filter (where f.begins_at >= v_lately) as claimed_lately,
               sum(f.claimed * least(extract(epoch from f.begins_at - v_before) / 60, 1))
                   filter (where f.begins_at > v_before) as claimed_minute,
               sum(f.completed * least(extract(epoch from f.begins_at - v_before) / 60, 1))
                   filter (where f.begins_at > v_before) as completed_minute
        from symphony.lane
        cross join lateral (
            select * from symphony.figure
            where figure.lane_id = lane.lane_id and not figure.is_hour and figure.begins_at > v_hour
            offset 0
        ) as f
        where lane.queue_name = coalesce(of_queue, lane.queue_name) and lane.is_used
        group by 1
    ), live as materialized (
        select l.queue_name, sum(l.open) as open, count(*) < at_most as is_read,
               sum(l.size) filter (where l.is_new and l.claimed_at > v_hour) as claimed,
               sum(l.size - l.retried - l.failed - l.returned) filter (where e.is_over) as completed,
               sum(l.retried) filter (where e.at > v_hour) as retried,
               sum(l.failed) filter (where e.at > v_hour) as failed,
               sum(l.size) filter (where e.is_over) as ended,
               sum(l.waited * l.size) filter (where l.is_new and l.claimed_at > v_hour) as waited,
               sum(l.worked * l.size) filter (where e.at > v_hour) as worked,
               sum(l.size) filter (where l.is_new and l.claimed_at >= v_lately) as claimed_lately,
               sum(l.size) filter (where l.is_new and l.claimed_at > v_minute) as claimed_minute,
               sum(l.size - l.retried - l.failed - l.returned)
                   filter (where e.is_over and e.at > v_minute) as completed_minute
        from symphony._live(of_queue, at_most) as l
        cross join lateral (
            select coalesce(l.finished_at, l.claimed_at) as at,
                   l.is_over and coalesce(l.finished_at, l.claimed_at) > v_hour as is_over
        ) as e
        group by 1
    )
    select a.queue_name, a.pending, coalesce(l.open, 0),
           round(coalesce(f.claimed_minute, 0) + coalesce(l.claimed_minute, 0))::bigint,
           coalesce(f.claimed, 0) + coalesce(l.claimed, 0),
           round(coalesce(f.completed_minute, 0) + coalesce(l.completed_minute, 0))::bigint,
           coalesce(f.completed, 0) + coalesce(l.completed, 0),
           coalesce(f.retried, 0) + coalesce(l.retried, 0), coalesce(f.failed, 0) + coalesce(l.failed, 0),
           coalesce(f.arrived, 0) + a.arrived - a.folded,
           (coalesce(f.arrived_lately, 0) + a.arrived - a.folded) / v_span,
           (coalesce(f.claimed_lately, 0) + coalesce(l.claimed_lately, 0)) / v_span,
           (coalesce(f.waited, 0) + coalesce(l.waited, 0))
           / nullif(coalesce(f.claimed, 0) + coalesce(l.claimed, 0), 0) * interval '1 second',
           (coalesce(f.worked, 0) + coalesce(l.worked, 0))
           / nullif(coalesce(f.ended, 0) + coalesce(l.ended, 0), 0) * interval '1 second',
           a.is_exact, coalesce(l.is_read, true)
    from arrival as a
    left join folded as f using (queue_name)
    left join live as l using (queue_name);
end;
$$;

comment on function symphony._traffic is
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
