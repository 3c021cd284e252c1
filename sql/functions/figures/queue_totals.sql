create or replace function symphony.queue_totals(
    inout queue_name text default null,
    out arrived bigint, out claimed bigint, out completed bigint, out retried bigint,
    out failed bigint, out returned bigint, out waited_seconds double precision,
    out worked_seconds double precision, out waited_histogram bigint[], out worked_histogram bigint[]
)
returns setof record
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
/*
 * What is settled of an open claim counts at once, so the sums do not change when it is folded.
 */
#variable_conflict use_column
begin
    if queue_totals.queue_name is not null then
        perform symphony._check_queues(array[queue_totals.queue_name]);
    end if;
    return query
    with live as materialized (
        select * from symphony._live(queue_totals.queue_name, 10000)
    ), tally as materialized (
        select lane.queue_name, t.*
        from symphony.tally as t
        join symphony.lane on lane.lane_id = t.lane_id
        where lane.queue_name = coalesce(queue_totals.queue_name, lane.queue_name)
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
        select r.queue_name, sum(r.claimed) as claimed, sum(r.completed) as completed,
               sum(r.retried) as retried, sum(r.failed) as failed, sum(r.returned) as returned,
               sum(r.waited) as waited, sum(r.worked) as worked
        from (
            select t.queue_name, t.claimed, t.completed, t.retried, t.failed, t.returned,
                   t.waited_seconds as waited, t.worked_seconds as worked
            from tally as t
            union all
            select l.queue_name, sum(l.size) filter (where l.is_new),
                   sum(l.size - l.open - l.retried - l.failed - l.returned), sum(l.retried), sum(l.failed),
                   sum(l.returned), sum(l.size * l.waited) filter (where l.is_new), sum(l.size * l.worked)
            from live as l
            group by 1
        ) as r
        group by 1
    )
    select r.queue_name, coalesce(a.arrived, 0), r.claimed::bigint, r.completed::bigint,
           r.retried::bigint, r.failed::bigint, r.returned::bigint, r.waited,
           r.worked, symphony._histogram(s.waited), symphony._histogram(s.worked)
    from summed as r
    left join sketch as s using (queue_name)
    left join symphony._arrivals(queue_totals.queue_name, 10000) as a using (queue_name)
    order by r.queue_name;
end;
$$;

comment on function symphony.queue_totals(text) is
$$What happened in queues since they were created, as counters: they only grow.

Arguments  queue_name - the queue; null: all of them
Returns    a row for each queue
           queue_name - the queue
           arrived, claimed, completed, retried, failed, returned - as in queue_figures()
           waited_seconds - for how long the messages had been due when they were claimed, in all
           worked_seconds - how long it took until all messages of their claims were settled
           waited_histogram - 22 sums: how many messages had been due for at most 1 ms, 2 ms, 4 ms
               and so on up to 2^20 ms (17 minutes), and how many there are
           worked_histogram - likewise, how long it took until all of their claim were settled
Raises     SY001 unknown_queue
Access     operator, observer$$;

revoke execute on function symphony.queue_totals(text) from public;
