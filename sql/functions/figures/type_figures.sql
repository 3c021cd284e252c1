create or replace function symphony.type_figures(
    inout queue_name   text default null,
    inout message_type text default null,
    since timestamptz default null,
    until timestamptz default null,
    step  text default 'minute',
    out begins_at timestamptz, out handled bigint, out failed bigint, out worked_p50 interval,
    out worked_p95 interval, out worked_p99 interval
)
returns setof record
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
    v_now   timestamptz := symphony._now();
    v_from  timestamptz := symphony._figures_from(since, step, v_now);
    v_until timestamptz := coalesce(until, 'infinity');
begin
    if type_figures.queue_name is not null then
        perform symphony._check_queues(array[type_figures.queue_name]);
    end if;
    return query
    with raw as materialized (
        select known.queue_name, known.message_type, date_trunc(step, least(known.at, v_now)) as begins_at,
               known.handled, known.failed, known.worked::bigint[]
        from (
            select f.queue_name, f.message_type, f.begins_at, f.handled, f.failed, f.worked
            from symphony.queue as q
            cross join (values (false), (true)) as kind (is_hour)
            cross join lateral (
                select * from symphony.type_figure as told
                where told.queue_name = q.queue_name and told.is_hour = kind.is_hour
                  and told.begins_at >= v_from and told.begins_at < v_until
                offset 0
            ) as f
            where q.queue_name = coalesce(type_figures.queue_name, q.queue_name)
              and (not kind.is_hour or step = 'hour')
            union all
            select w.queue_name, w.message_type, w.told_at, w.handled, w.failed, w.worked
            from symphony.work as w
            where w.told_at >= v_from and least(w.told_at, v_now) < v_until
        ) as known (queue_name, message_type, at, handled, failed, worked)
        where known.queue_name = coalesce(type_figures.queue_name, known.queue_name)
          and known.message_type = coalesce(type_figures.message_type, known.message_type)
    ), pair as (
        select r.queue_name, r.message_type, r.begins_at, p.bucket,
               sum(sum(p.messages)) over (partition by r.queue_name, r.message_type, r.begins_at
                                          order by p.bucket)
               / sum(sum(p.messages)) over (partition by r.queue_name, r.message_type, r.begins_at) as share
        from raw as r
        cross join lateral symphony._pairs(r.worked) as p
        group by 1, 2, 3, 4
    ), sketch as (
        select p.queue_name, p.message_type, p.begins_at,
               min(p.bucket) filter (where p.share >= 0.5) as worked_50,
               min(p.bucket) filter (where p.share >= 0.95) as worked_95,
               min(p.bucket) filter (where p.share >= 0.99) as worked_99
        from pair as p
        group by 1, 2, 3
    )
    select r.queue_name, r.message_type, r.begins_at, sum(r.handled)::bigint, sum(r.failed)::bigint,
           symphony._middle(min(s.worked_50)), symphony._middle(min(s.worked_95)),
           symphony._middle(min(s.worked_99))
    from raw as r
    left join sketch as s using (queue_name, message_type, begins_at)
    group by r.queue_name, r.message_type, r.begins_at
    order by r.queue_name, r.message_type, r.begins_at;
end;
$$;

comment on function symphony.type_figures is
$$What handlers did with messages of each type, minute by minute or hour by hour, as workers told by
heartbeat().

Arguments  queue_name - the queue; null: all of them
           message_type - the type; null: all of them
           since, until, step - as for queue_figures()
Returns    a row for each queue, type and step in which a handler ended
           queue_name - the queue of the messages
           message_type - their type
           begins_at - when the minute or hour begins
           handled - how many messages handlers were called for, and ended
           failed - how many of them with an error
           worked_p50, worked_p95, worked_p99 - of 100 messages the handlers of 50, 95 or 99 took at
               most so long, within 19 %
Raises     SY001 unknown_queue
           22023 invalid_parameter_value
Access     operator, observer$$;
