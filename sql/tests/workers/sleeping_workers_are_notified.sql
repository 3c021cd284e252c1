-- idle, busy, heartbeat, stop_worker: they tell which workers sleep, and which live.
-- Runs alone: idle() cannot tell the transactions of another database from those of this one.
select plan(14);
select is(symphony.idle('w', '{default}'), false, 'a worker that falls asleep has to look once more');
do $$ begin while not symphony.idle('w', '{default}') loop perform pg_sleep(0.01); end loop; end $$;
select is(
    symphony.idle('w', '{default}'),
    true, 'a worker may sleep when nothing can come unannounced any more'
);
select is((select idle_workers from symphony.queue_stats('default')), 1, 'it is counted as asleep');
select is(symphony.idle('v', '{default}'), false, 'another worker has to look once more');
select is((select idle_workers from symphony.queue_stats('default')), 2, 'that worker is counted, too');
select symphony.busy('w');
select is(
    (select workers from symphony.idle_worker order by idle_id desc limit 1),
    '{v}', 'a worker that is busy again is not listed'
);
select symphony.stop_worker('v');
select is((select count(*) from symphony.idle_worker), 1::bigint, 'only the newest row is kept');
select is(
    (select idle_workers from symphony.queue_stats('default')),
    0, 'a worker that has ended is not counted'
);
select symphony.heartbeat('w', '{default}', '{"pid": 1}');
select results_eq(
    $$select worker, queues from symphony.worker_overview$$,
    $$values ('w', '{default}'::text[])$$,
    'a worker that says it lives is listed'
);
select tap.advance_clock('61 seconds');
select symphony.tick();
select is_empty(
    $$select * from symphony.worker_overview$$,
    'a worker that says nothing for a minute is not listed'
);
select throws_ok(
    $$select symphony.idle(null, '{default}')$$,
    '22023', null, 'a worker without a name cannot sleep'
);
select throws_ok(
    $$select symphony.idle('w', '{nope}')$$,
    'SY001', null, 'a worker with an unknown queue cannot sleep'
);
select throws_ok(
    $$select symphony.heartbeat('', '{default}')$$,
    '22023', null, 'a worker without a name cannot say anything'
);
select throws_ok(
    $$select symphony.heartbeat('w', null)$$,
    '22023', null, 'a worker without queues cannot say anything'
);
select * from finish();
