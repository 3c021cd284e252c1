-- queue_stats: what a dead worker had is counted until tick() takes it back, even if nobody ticks for hours.
select plan(3);

select symphony.enqueue('A');
create temporary table dead as select * from symphony.claim_batch(worker => 'dead');
select tap.advance_clock('5 hours');
select is(
    (select status from symphony.message_status((select message_id from dead))),
    'processing', 'a message is being processed as long as no tick() takes it back'
);
select is(
    (select processing from symphony.queue_stats('default')),
    1::bigint, 'it is counted, however long ago its lease ended'
);
select symphony.tick();
select is((select pending from symphony.queue_stats('default')), 1::bigint, 'it is pending after a tick()');
select * from finish();
