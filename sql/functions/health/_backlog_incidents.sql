create or replace function symphony._backlog_incidents(now timestamptz)
returns setof symphony.incident
language plpgsql
stable
as $$
/*
 * Many messages that come at once are no backlog that grows: they are worked off.  So more has to come in
 * than is handed out in each of the last minutes that are folded.  Where nothing is handed out, others tell
 * why.  queue_figures() would sort sketches, too, for each of the queues.
 */
declare
    v_most  record := symphony._thresholds();
    v_begin timestamptz := date_trunc('minute', now) - v_most.grows - interval '1 minute';
begin
    return query
    with filling as materialized (
        select * from symphony._long_waiting(now)
    ), flow as (
        select f.queue_name, avg(f.arrived) as inflow, avg(f.claimed) as outflow
        from (
            select lane.queue_name, f.begins_at, sum(f.arrived) as arrived, sum(f.claimed) as claimed
            from filling
            join symphony.lane on lane.queue_name = filling.queue_name
            cross join lateral (
                select * from symphony.figure
                where figure.lane_id = lane.lane_id and not figure.is_hour
                  and figure.begins_at >= v_begin and figure.begins_at < date_trunc('minute', now)
                offset 0
            ) as f
            group by 1, 2
        ) as f
        group by f.queue_name
        having bool_and(f.arrived > f.claimed) and count(*) >= extract(epoch from v_most.grows) / 60
    )
    select 'warning', 'backlog_grows', flow.queue_name,
           format('Queue "%s": its backlog grows by %s messages a minute.', flow.queue_name,
                  ceil(flow.inflow - flow.outflow)),
           filling.since,
           format('%s come in, %s are handed out. The first has waited for %s.', ceil(flow.inflow),
                  floor(flow.outflow), symphony._duration(now - filling.since)),
           format('symphony-pg consume %s --app MODULE:APP', flow.queue_name)
    from flow
    join filling on filling.queue_name = flow.queue_name
    where flow.outflow > 0;
end;
$$;

comment on function symphony._backlog_incidents is
$$Queues into which more comes, minute by minute, than their workers take.

Arguments  now
Access     private$$;
