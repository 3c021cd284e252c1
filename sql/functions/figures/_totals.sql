create or replace function symphony._totals(of_queue text)
returns table (
    queue_name text, pending bigint, processing bigint, arrived bigint, claimed bigint, completed bigint,
    retried bigint, failed bigint, returned bigint, waited_seconds double precision,
    worked_seconds double precision, waited bigint[], worked bigint[]
)
language plpgsql
stable
as $$
/*
 * What is settled of an open claim counts at once, so the sums do not change when it is folded.
 */
#variable_conflict use_column
begin
    return query
    with live as materialized (
        select * from symphony._live(of_queue, 10000)
    ), tally as materialized (
        select lane.queue_name, t.*
        from symphony.tally as t
        join symphony.lane on lane.lane_id = t.lane_id
        where lane.queue_name = coalesce(of_queue, lane.queue_name)
    ), pair as (
        select t.queue_name, k.is_worked, p.bucket, p.messages
        from tally as t
        cross join lateral (values (false, t.waited), (true, t.worked)) as k (is_worked, sketch)
        cross join lateral symphony._pairs(k.sketch) as p
        union all
        select l.queue_name, k.is_worked, symphony._bucket(k.seconds), l.size
        from live as l
        cross join lateral (
            values (false, l.is_new, l.waited), (true, l.is_over, l.worked)) as k (is_worked, counts, seconds)
        where k.counts and l.size > 0
    ), sketch as (
        select p.queue_name,
               array_agg(array[p.bucket, p.messages]) filter (where not p.is_worked) as waited,
               array_agg(array[p.bucket, p.messages]) filter (where p.is_worked) as worked
        from (select pair.queue_name, pair.is_worked, pair.bucket, sum(pair.messages)::bigint as messages
              from pair group by 1, 2, 3) as p
        group by 1
    ), summed as (
        select r.queue_name, sum(r.open) as open, sum(r.claimed) as claimed, sum(r.completed) as completed,
               sum(r.retried) as retried, sum(r.failed) as failed, sum(r.returned) as returned,
               sum(r.waited_seconds) as waited_seconds, sum(r.worked_seconds) as worked_seconds
        from (
            select t.queue_name, 0 as open, t.claimed, t.completed, t.retried, t.failed, t.returned,
                   t.waited_seconds, t.worked_seconds
            from tally as t
            union all
            select l.queue_name, sum(l.open), sum(l.size) filter (where l.is_new),
                   sum(l.size - l.open - l.retried - l.failed - l.returned), sum(l.retried), sum(l.failed),
                   sum(l.returned), sum(l.size * l.waited) filter (where l.is_new), sum(l.size * l.worked)
            from live as l
            group by 1
        ) as r
        group by 1
    )
    select r.queue_name, coalesce(a.pending, 0), r.open::bigint, coalesce(a.arrived, 0), r.claimed::bigint,
           r.completed::bigint, r.retried::bigint, r.failed::bigint, r.returned::bigint, r.waited_seconds,
           r.worked_seconds, s.waited, s.worked
    from summed as r
    left join sketch as s using (queue_name)
    left join symphony._arrivals(of_queue, 10000) as a using (queue_name);
end;
$$;

comment on function symphony._totals is
$$What happened in queues since they were created, and what is in them, for queue_totals() and
metrics().

Arguments  of_queue - null: all queues
Returns    a row for each queue
           pending, processing - as in queue_stats()
           arrived, claimed, completed, retried, failed, returned, waited_seconds, worked_seconds -
               as in queue_totals()
           waited, worked - a sketch of these times
Access     private$$;
