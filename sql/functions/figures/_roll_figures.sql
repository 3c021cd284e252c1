create or replace function symphony._roll_figures(now timestamptz)
returns void
language plpgsql
volatile
as $$
/*
 * A figure is in one place: as its minute goes, its hour takes it over.  What is done in portions makes
 * several rows of an hour.
 */
declare
    c_most    constant integer := 2000;
    v_minutes timestamptz := date_trunc('hour', _roll_figures.now - interval '7 days');
    v_hours   timestamptz := date_trunc('hour', _roll_figures.now - interval '90 days');
begin
    with old as materialized (
        select f.lane_id, f.figure_id, f.is_hour, f.begins_at
        from symphony.lane
        cross join (values (false, v_minutes), (true, v_hours)) as kept (is_hour, from_time)
        cross join lateral (
            select * from symphony.figure
            where figure.lane_id = lane.lane_id and figure.is_hour = kept.is_hour
              and figure.begins_at < kept.from_time
            order by figure.begins_at
            limit c_most
        ) as f
        where lane.is_used
        limit c_most
    ), gone as (
        delete from symphony.figure as f
        using old
        where f.lane_id = old.lane_id and f.is_hour = old.is_hour and f.begins_at = old.begins_at
          and f.figure_id = old.figure_id
        returning f.*
    ), pair as (
        select g.lane_id, date_trunc('hour', g.begins_at) as begins_at, kind.is_worked, p.bucket,
               sum(p.messages) as messages
        from gone as g
        cross join lateral (values (false, g.waited), (true, g.worked)) as kind (is_worked, sketch)
        cross join lateral symphony._pairs(kind.sketch) as p
        where not g.is_hour
        group by 1, 2, 3, 4
    ), sketch as (
        select p.lane_id, p.begins_at,
               array_agg(p.pair order by p.bucket) filter (where not p.is_worked) as waited,
               array_agg(p.pair order by p.bucket) filter (where p.is_worked) as worked
        from (select pair.*, array[pair.bucket, pair.messages] as pair from pair) as p
        group by 1, 2
    )
    insert into symphony.figure (
        lane_id, is_hour, begins_at, arrived, claimed, completed, retried, failed, returned,
        waited_seconds, worked_seconds, waited, worked)
    select g.lane_id, true, g.begins_at, g.arrived, g.claimed, g.completed, g.retried, g.failed, g.returned,
           g.waited_seconds, g.worked_seconds, coalesce(s.waited, '{}'), coalesce(s.worked, '{}')
    from (
        select gone.lane_id, date_trunc('hour', gone.begins_at) as begins_at, sum(gone.arrived) as arrived,
               sum(gone.claimed) as claimed, sum(gone.completed) as completed, sum(gone.retried) as retried,
               sum(gone.failed) as failed, sum(gone.returned) as returned,
               sum(gone.waited_seconds) as waited_seconds, sum(gone.worked_seconds) as worked_seconds
        from gone
        where not gone.is_hour
        group by 1, 2
    ) as g
    left join sketch as s using (lane_id, begins_at);
    perform symphony._roll_type_figures(v_minutes, v_hours, c_most);
end;
$$;

comment on function symphony._roll_figures is
$$Let hours take the place of minutes after 7 days, and remove hours after 90 days.

Arguments  now
Writes     symphony.figure and symphony.type_figure, at most 2,000 rows of each
Access     private$$;
