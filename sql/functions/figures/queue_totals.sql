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
as $$
#variable_conflict use_column
begin
    if queue_totals.queue_name is not null then
        perform symphony._check_queues(array[queue_totals.queue_name]);
    end if;
    return query
    select t.queue_name, t.arrived, t.claimed, t.completed, t.retried, t.failed, t.returned, t.waited_seconds,
           t.worked_seconds, symphony._histogram(t.waited), symphony._histogram(t.worked)
    from symphony._totals(queue_totals.queue_name) as t
    order by t.queue_name;
end;
$$;

comment on function symphony.queue_totals is
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
