-- cron_next: H is drawn from the hash key, the same each time, and stays within its bounds.
begin;
select plan(9);

select is(
    symphony.cron_next('H H * * *', '2026-05-05 00:00Z', hash_key => 'report'),
    '2026-05-05 13:57Z', 'a name has its own minute and hour'
);
select is(
    symphony.cron_next('h h * * *', '2026-05-05 00:00Z', hash_key => 'report'),
    '2026-05-05 13:57Z', 'a name has them each time'
);
select isnt(
    symphony.cron_next('H H * * *', '2026-05-05 00:00Z', hash_key => 'backup'),
    '2026-05-05 13:57Z', 'another name has others'
);
select is(
    symphony.cron_next('H H * * *', '2026-05-05 00:00Z', hash_key => null),
    symphony.cron_next('H H * * *', '2026-05-05 00:00Z'), 'a missing name stands for an empty one'
);

create temporary view run as
select symphony.cron_next(expression, '2026-01-01 00:00Z', hash_key => 'job ' || n)
           at time zone 'UTC' as run_at, expression
from generate_series(1, 300) as n,
     unnest('{H * * * *,H(10-19) * * * *,H H H 1 *,H(50-9) * * * *}'::text[]) as expression;

select ok(count(distinct extract(minute from run_at)) > 55, 'three hundred names fill the hour')
from run where expression = 'H * * * *';
select results_eq(
    $$select distinct extract(minute from run_at)::integer from run
      where expression = 'H(10-19) * * * *' order by 1$$,
    'select generate_series(10, 19)', 'H(10-19) draws from ten minutes'
);
select results_eq(
    $$select distinct extract(minute from run_at)::integer from run
      where expression = 'H(50-9) * * * *' order by 1$$,
    'select * from generate_series(0, 59) as n where n < 10 or n >= 50', 'H(50-9) draws from twenty minutes'
);
select is(max(extract(day from run_at))::integer, 28, 'H as day of month is a day that each month has')
from run where expression = 'H H H 1 *';

select is(
    (select array_agg(distinct gap)
     from generate_series(1, 100) as n,
          lateral (select run - lag(run) over (order by run)
                   from symphony.cron_upcoming('H/15 * * * *', 9, now(), hash_key => 'job ' || n)
                        as run) as t (gap)
     where gap is not null),
    '{00:15}', 'H/15 runs every 15 minutes, wherever it starts'
);

select * from finish();
rollback;
