-- idle, busy, heartbeat, stop_worker: who sleeps, who lives.
-- Runs alone: a transaction of another database may be running, for all that idle() knows, for this one.
select plan(14);
select is(symphony.idle('w', '{default}'), false, 'a worker that falls asleep has to look once more');
do $$ begin while not symphony.idle('w', '{default}') loop perform pg_sleep(0.01); end loop; end $$;
select is(symphony.idle('w', '{default}'), true, 'when nothing can come unannounced any more it may sleep');
select is((select idle_workers from symphony.queue_stats('default')), 1, 'it is counted');
select is(symphony.idle('v', '{default}'), false, 'another one');
select is((select idle_workers from symphony.queue_stats('default')), 2, 'is counted too');
select symphony.busy('w');
select is(
    (select workers from symphony.idle_worker order by idle_id desc limit 1),
    '{v}', 'one that is busy again is not listed'
);
select symphony.stop_worker('v');
select is((select count(*) from symphony.idle_worker), 1::bigint, 'only the newest row is kept');
select is(
    (select idle_workers from symphony.queue_stats('default')),
    0, 'and one that has ended is not listed'
);
select symphony.heartbeat('w', '{default}', '{"pid": 1}');
select results_eq(
    $$select worker, queues from symphony.worker_overview$$,
    $$values ('w', '{default}'::text[])$$,
    'a worker that says it lives is listed'
);
select tap.advance_clock('61 seconds');
select symphony.tick();
select is_empty($$select * from symphony.worker_overview$$, 'for a minute');
select throws_ok($$select symphony.idle(null, '{default}')$$, '22023', null, 'a worker without a name');
select throws_ok($$select symphony.idle('w', '{nope}')$$, 'SY001', null, 'or with an unknown queue');
select throws_ok($$select symphony.heartbeat('', '{default}')$$, '22023', null, 'cannot say anything');
select throws_ok($$select symphony.heartbeat('w', null)$$, '22023', null, 'nor one without queues');
select * from finish();
