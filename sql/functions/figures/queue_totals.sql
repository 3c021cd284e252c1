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
    with raw as materialized (
        select lane.queue_name, t.claimed, t.completed, t.retried, t.failed, t.returned, t.waited_seconds,
               t.worked_seconds, t.waited, t.worked
        from symphony.tally as t
        join symphony.lane on lane.lane_id = t.lane_id
        where lane.queue_name = coalesce(queue_totals.queue_name, lane.queue_name)
        union all
        select l.queue_name, case when l.is_new then l.size else 0 end,
               l.size - l.open - l.retried - l.failed - l.returned, l.retried, l.failed, l.returned,
               case when l.is_new then l.size * l.waited else 0 end, coalesce(l.size * l.worked, 0),
               case when l.is_new and l.size > 0 then array[array[symphony._bucket(l.waited), l.size]] end,
               case when l.is_over and l.size > 0 then array[array[symphony._bucket(l.worked), l.size]] end
        from symphony._live(queue_totals.queue_name, 10000) as l
    ), pair as (
        select r.queue_name, k.is_worked, p.bucket, sum(p.messages)::bigint as messages
        from raw as r
        cross join lateral (values (false, r.waited), (true, r.worked)) as k (is_worked, sketch)
        cross join lateral symphony._pairs(k.sketch) as p
        group by 1, 2, 3
    ), sketch as (
        select p.queue_name,
               array_agg(array[p.bucket, p.messages]) filter (where not p.is_worked) as waited,
               array_agg(array[p.bucket, p.messages]) filter (where p.is_worked) as worked
        from pair as p
        group by 1
    )
    select r.queue_name, coalesce(a.arrived, 0), sum(r.claimed)::bigint, sum(r.completed)::bigint,
           sum(r.retried)::bigint, sum(r.failed)::bigint, sum(r.returned)::bigint, sum(r.waited_seconds),
           sum(r.worked_seconds), symphony._histogram(s.waited), symphony._histogram(s.worked)
    from raw as r
    left join sketch as s using (queue_name)
    left join symphony._arrivals(queue_totals.queue_name, 10000) as a using (queue_name)
    group by r.queue_name, a.arrived, s.waited, s.worked
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
