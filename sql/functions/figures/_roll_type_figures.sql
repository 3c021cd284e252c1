create or replace function symphony._roll_type_figures(
    minutes_from timestamptz,
    hours_from   timestamptz,
    at_most      integer
)
returns void
language plpgsql
volatile
as $$
begin
    with old as materialized (
        select f.queue_name, f.is_hour, f.begins_at, f.figure_id
        from symphony.queue
        cross join (values (false, minutes_from), (true, hours_from)) as kept (is_hour, from_time)
        cross join lateral (
            select * from symphony.type_figure as told
            where told.queue_name = queue.queue_name and told.is_hour = kept.is_hour
              and told.begins_at < kept.from_time
            order by told.begins_at
            limit at_most
        ) as f
        limit at_most
    ), gone as (
        delete from symphony.type_figure as f
        using old
        where f.queue_name = old.queue_name and f.is_hour = old.is_hour and f.begins_at = old.begins_at
          and f.figure_id = old.figure_id
        returning f.*
    ), pair as (
        select date_trunc('hour', g.begins_at) as begins_at, g.queue_name, g.message_type, p.bucket,
               sum(p.messages) as messages
        from gone as g
        cross join lateral symphony._pairs(g.worked) as p
        where not g.is_hour
        group by 1, 2, 3, 4
    ), sketch as (
        select p.begins_at, p.queue_name, p.message_type,
               array_agg(array[p.bucket, p.messages] order by p.bucket) as worked
        from pair as p
        group by 1, 2, 3
    )
    insert into symphony.type_figure (
        is_hour, begins_at, queue_name, message_type, handled, failed, worked)
    select true, g.begins_at, g.queue_name, g.message_type, g.handled, g.failed, coalesce(s.worked, '{}')
    from (
        select date_trunc('hour', gone.begins_at) as begins_at, gone.queue_name, gone.message_type,
               sum(gone.handled) as handled, sum(gone.failed) as failed
        from gone
        where not gone.is_hour
        group by 1, 2, 3
    ) as g
    left join sketch as s using (begins_at, queue_name, message_type);
end;
$$;

comment on function symphony._roll_type_figures is
$$As _roll_figures(), of the figures by type.

Arguments  minutes_from - minutes before this go
           hours_from - and hours before this
           at_most - how many of both at a time
Writes     symphony.type_figure
Access     private$$;
