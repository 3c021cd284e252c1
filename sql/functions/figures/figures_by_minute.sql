create or replace function symphony.figures_by_minute(
    minutes integer default 60,
    out queue_name text, out arrived bigint[], out claimed bigint[], out failed bigint[]
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
    v_now  timestamptz := symphony._now();
    v_last timestamptz := date_trunc('minute', v_now);
    v_from timestamptz;
begin
    perform symphony._check_number(
        'minutes', minutes, 1440, 'It is the number of minutes to tell, the present one included.',
        'Ask queue_figures() for hours.');
    v_from := v_last - (minutes - 1) * interval '1 minute';
    return query
    with part as (
        select lane.queue_name, f.begins_at, f.arrived, f.claimed, f.failed
        from symphony.lane
        join symphony.figure as f on f.lane_id = lane.lane_id and not f.is_hour and f.begins_at >= v_from
        union all
        select l.queue_name, date_trunc('minute', least(e.at, v_now)), 0,
               case when e.is_end then 0 else l.size end, case when e.is_end then l.failed else 0 end
        from symphony._live(null, 10000) as l
        cross join lateral (values (false, l.claimed_at), (true, l.finished_at)) as e (is_end, at)
        where case when e.is_end then l.is_over else l.is_new end and e.at >= v_from
        union all
        select a.queue_name, v_last, a.arrived - a.folded, 0, 0
        from symphony._arrivals(null, 10000) as a
    ), summed as (
        select p.queue_name, p.begins_at, sum(p.arrived)::bigint as arrived,
               sum(p.claimed)::bigint as claimed, sum(p.failed)::bigint as failed
        from part as p
        group by 1, 2
    )
    select q.queue_name, array_agg(coalesce(s.arrived, 0) order by m.begins_at),
           array_agg(coalesce(s.claimed, 0) order by m.begins_at),
           array_agg(coalesce(s.failed, 0) order by m.begins_at)
    from symphony.queue as q
    cross join generate_series(v_from, v_last, '1 minute') as m (begins_at)
    left join summed as s on s.queue_name = q.queue_name and s.begins_at = m.begins_at
    group by q.queue_name
    order by q.queue_name;
end;
$$;

comment on function symphony.figures_by_minute is
$$What came in, went out and failed in each of the last minutes, of all queues: lines to draw. They
cost a tenth of queue_figures(), which tells more.

Arguments  minutes - 1 to 1440
Returns    a row for each queue
           queue_name - the queue
           arrived, claimed, failed - as in queue_figures(), a number for each minute: the oldest
               first, and the present one last
Raises     22023 invalid_parameter_value
Access     operator, observer$$;
