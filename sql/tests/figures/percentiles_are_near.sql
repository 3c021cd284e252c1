-- queue_figures, type_figures: a percentile is within 19 % of the exact one, and sums are exact.
select plan(10);

select is(
    (select max(greatest(middle / s, s / middle)) < 1.19
     from (select 0.0001 * power(1.01, i) as s from generate_series(0, 2500) as i) as t,
          lateral (select extract(epoch from symphony._middle(symphony._bucket(s)))::float8 as middle) as m),
    true, 'the middle of a bucket is within 19 % of all that is in it'
);
select results_eq(
    $$select symphony._bucket(s) from unnest('{0.001,0.002,0.0020001,1.024,0,-1,1e20}'::float8[]) as s$$,
    $$values (0), (2), (3), (20), (-19), (-19), (74)$$,
    'a bucket ends at a power of the square root of two'
);
select is(symphony._merged('{{3,1},{-2,5},{3,4}}'), '{{-2,5},{3,5}}'::bigint[], 'sketches are added');
select results_eq(
    $$select symphony._middle(b) from unnest('{-19,0,20,74}'::bigint[]) as b$$,
    $$values (interval '1 us'), ('841 us'), ('861.078 ms'), ('32103 h 18 min 43.290827 s')$$,
    'it is told in microseconds'
);

-- Made-up claims of known times, of one message each: skewed, as times are.
create temporary table made as
select i, 0.003 * exp(3 * sin(i * 0.7) + (i % 97) / 30.0) as waited, 0.05 * exp(2 * cos(i * 1.3)) as worked
from generate_series(1, 5000) as i;
select tap.set_clock('2030-01-01 12:00:01+00');
insert into symphony.claim (claimed_at, lease_until, finished_at, lane_id, size, waited, ahead, open_ids)
select '2030-01-01 11:50:00+00', '2030-01-01 11:55:00+00',
       timestamptz '2030-01-01 11:50:00+00' + made.worked * interval '1 s',
       (select lane_id from symphony.lane where queue_name = 'default' and priority = 5), 1, made.waited,
       '{[0,)}', '{}'
from made order by i;
create temporary view exact as
select percentile_disc(array[0.5, 0.95, 0.99]) within group (order by waited) as waited,
       percentile_disc(array[0.5, 0.95, 0.99]) within group (order by worked) as worked
from made;
create temporary view error as
select max(greatest(told / exact, exact / told)) as most
from exact as e
cross join symphony.queue_figures('default', since => '-infinity', step => 'hour') as f
cross join lateral (values
    (extract(epoch from f.waited_p50), e.waited[1]), (extract(epoch from f.waited_p95), e.waited[2]),
    (extract(epoch from f.waited_p99), e.waited[3]), (extract(epoch from f.worked_p50), e.worked[1]),
    (extract(epoch from f.worked_p95), e.worked[2]), (extract(epoch from f.worked_p99), e.worked[3])
) as p (told, exact);
select cmp_ok((select most from error), '<', 1.19::float8, 'claims that are read where they are');
select symphony.tick();
select isnt_empty('table symphony.figure', 'the tick folds them');
select cmp_ok((select most from error), '<', 1.19::float8, 'claims that are folded');
select results_eq(
    $$select claimed, completed, round(waited_seconds::numeric, 1), waited_histogram[22], worked_histogram[22]
      from symphony.queue_totals('default')$$,
    $$select 5000::bigint, 5000::bigint, round(sum(waited)::numeric, 1), 5000::bigint, 5000::bigint
      from made$$,
    'the totals have all of them'
);
select is(
    (select waited_histogram[8] from symphony.queue_totals('default')),
    (select count(*) from made where waited <= 0.128),
    'a bound of the histogram is exact'
);

-- What workers tell.
select symphony.heartbeat('w', '{default}', work => (
    select jsonb_agg(jsonb_build_object(
        'queue_name', 'default', 'message_type', 'T', 'handled', 1, 'failed', (i % 5 = 0)::integer,
        'worked', jsonb_build_array(jsonb_build_array(symphony._bucket(worked), 1))))
    from made where i <= 1000));
select results_eq(
    $$select handled, failed, abs(extract(epoch from worked_p95) / e.p95 - 1) < 0.19
      from symphony.type_figures()
      cross join (select percentile_disc(0.95) within group (order by worked)::numeric as p95
                  from made where i <= 1000) as e$$,
    $$values (1000::bigint, 200::bigint, true)$$,
    'figures by type are within 19 %, too'
);
select * from finish();
