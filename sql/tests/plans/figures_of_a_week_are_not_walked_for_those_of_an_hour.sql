-- queue_stats, figures_by_minute, health, queue_figures, type_figures: what a look at the last hour touches
-- depends neither on how many older figures there are, nor on those of other queues.
select plan(7);

select symphony.create_queue('q' || i) from generate_series(1, 20) as i;
select symphony.enqueue('A', queue_name => 'q' || i) from generate_series(1, 20) as i;
create function pg_temp.look() returns table (name text, buffers integer) language sql as $$
    select asked.name, tap.buffers(asked.statement, 3)
    from (values
        ('queue_stats()', 'select * from symphony.queue_stats()'),
        ('figures_by_minute()', 'select * from symphony.figures_by_minute()'),
        ('health()', 'select * from symphony.health()'),
        ('queue_figures()', 'select * from symphony.queue_figures()'),
        ('queue_figures(q)', $q$select * from symphony.queue_figures('q1')$q$),
        ('type_figures(q)', $q$select * from symphony.type_figures('q1')$q$),
        ('a week of one type', $q$select * from symphony.type_figures(
            'q1', since => now() - interval '7 days', step => 'hour')$q$)
    ) as asked (name, statement)
$$;
create function pg_temp.fill(minutes int4range) returns void language sql as $$
    insert into symphony.figure (lane_id, is_hour, begins_at, arrived, claimed)
    select lane.lane_id, false, date_trunc('minute', now()) - back * interval '1 minute', 2, 1
    from symphony.lane, generate_series(lower(minutes), upper(minutes) - 1) as back
    where lane.is_used and lane.queue_name like 'q%';
    insert into symphony.type_figure (is_hour, begins_at, queue_name, message_type, handled, failed, worked)
    select false, date_trunc('minute', now()) - back * interval '1 minute', 'q' || i, 'A', 2, 1, '{{1,2}}'
    from generate_series(2, 20) as i, generate_series(lower(minutes), upper(minutes) - 1) as back;
$$;
select pg_temp.fill('[1,60]');
insert into symphony.type_figure (is_hour, begins_at, queue_name, message_type, handled, failed, worked)
select false, date_trunc('minute', now()) - back * interval '1 minute', 'q1', 'A', 2, 1, '{{1,2}}'
from generate_series(1, 60) as back;
vacuum (analyze) symphony.figure, symphony.type_figure;
create temporary table before as select * from pg_temp.look();
select pg_temp.fill('[61,3000]');
vacuum (analyze) symphony.figure, symphony.type_figure;
select cmp_ok(after.buffers, '<', 2 * before.buffers + 100, after.name || ' touches what it tells')
from pg_temp.look() as after
join before on before.name = after.name;
truncate symphony.figure;    -- check() would find more of them than claims
select * from finish();
