-- claim_batch: it tells whether a message may have taken a worker down.  Such a message is claimed alone.
select plan(5);

select symphony.create_queue('q', max_attempts => 2, lease => '10 s');
select tap.set_clock('2030-01-01 12:00:00+00');
select symphony.enqueue('A', queue_name => 'q');
create temporary table first as select claim_id, alone from symphony.claim_batch('{q}');
select is(alone, false, 'a new message is like any other') from first;
select tap.pass_time('11 s');
select symphony.tick();
create temporary table second as select claim_id, alone from symphony.claim_batch('{q}');
select is(alone, true, 'a message whose worker vanished is claimed alone') from second;
select symphony.release(claim_id) from second;
create temporary table third as select claim_id, alone from symphony.claim_batch('{q}');
select is(alone, true, 'it is still alone when it was given back') from third;
select tap.pass_time('11 s');
select is(symphony.tick() ->> 'failed', '1', 'it takes another worker down, and has failed');
select symphony.retry_failed('{1}');
create temporary table fourth as select claim_id, alone from symphony.claim_batch('{q}');
select is(alone, true, 'brought back, it is alone in its first attempt') from fourth;
select * from finish();
