-- create_queue, configure_queue, pause_queue, resume_queue, purge_queue, drop_queue: they do what they say.
select plan(33);

select ok(
    exists (select from symphony.queue where queue_name = 'default'),
    'a queue "default" is there after the installation'
);
select is(symphony.create_queue('q', max_attempts => 7), true, 'a queue is created');
select is(
    symphony.create_queue('q', lease => '5 s'),
    false, 'the second time its settings are applied'
);
select results_eq(
    $$select max_attempts, lease, retention from symphony.queue where queue_name = 'q'$$,
    $$values (7, '5 s'::interval, '1 day'::interval)$$,
    'what is not given stays'
);
select throws_ok($$select symphony.create_queue('a b')$$, '22023', null, 'a name with a blank is refused');
select throws_ok(
    $$select symphony.create_queue(repeat('x', 49))$$,
    '22023', null, 'a name that is too long is refused'
);
select throws_ok($$select symphony.create_queue(null)$$, '22023', null, 'a name that is null is refused');
select throws_ok(
    $$select symphony.configure_queue('q', max_attempts => 0)$$,
    '22023', null, 'a queue without attempts is refused'
);
select throws_ok(
    $$select symphony.configure_queue('q', retry_jitter => 2)$$,
    '22023', null, 'too much jitter is refused'
);
select throws_ok(
    $$select symphony.configure_queue('q', lease => '1 ms')$$,
    '22023', null, 'too short a lease is refused'
);
select throws_ok(
    $$select symphony.configure_queue('nope')$$,
    'SY001', null, 'an unknown queue cannot be configured'
);
select throws_ok($$select symphony.pause_queue('nope')$$, 'SY001', null, 'an unknown queue cannot be paused');
select throws_ok(
    $$select symphony.resume_queue('nope')$$,
    'SY001', null, 'an unknown queue cannot be resumed'
);
select throws_ok($$select symphony.purge_queue('nope')$$, 'SY001', null, 'an unknown queue cannot be purged');
select throws_ok(
    $$select symphony.queue_stats('nope')$$,
    'SY001', null, 'an unknown queue has no statistics'
);
select is(symphony.drop_queue('nope'), false, 'dropping an unknown queue says that it is not there');
select is(
    array[symphony.pause_queue('q'), symphony.pause_queue('q'), symphony.resume_queue('q'),
          symphony.resume_queue('q')],
    '{t,f,t,f}', 'pause and resume say whether they changed anything'
);

select symphony.enqueue('A', queue_name => 'q') from generate_series(1, 3);
select symphony.enqueue('A', queue_name => 'q', delay => '1 hour');
create temporary table c as select * from symphony.claim_batch('{q}', 1);
select is(symphony.purge_queue('q'), 2::bigint, 'purge_queue tells how many it dropped');
select is(symphony.purge_queue('q'), 0::bigint, 'and none twice');
select is(
    (select count(*) from symphony.claim join symphony.lane using (lane_id)
     where queue_name = 'q' and size = 0),
    11::bigint, 'only the lane that had something gets a new position'
);
select is_empty($$select * from symphony.claim_batch('{q}')$$, 'nothing is pending after a purge');
select results_eq(
    $$select status from generate_series(1, 4) i, symphony.message_status(i)$$,
    $$values ('processing'), ('removed'), ('removed'), ('delayed')$$,
    'what is being processed or delayed stays'
);
select is((select symphony.ack(claim_id) from c), 1, 'what is being processed can be settled');
select symphony.enqueue('B', queue_name => 'q');
select is(
    (select message_type from symphony.claim_batch('{q}')),
    'B', 'what comes after the purge is handed out'
);
select results_eq(
    $$select pending, delayed, processing, failed, claimed_last_minute, finished_last_hour
      from symphony.queue_stats('q')$$,
    $$values (0::bigint, 1::bigint, 1::bigint, 0::bigint, 2::bigint, 1::bigint)$$,
    'the statistics agree'
);

select throws_ok(
    $$select symphony.drop_queue('q')$$,
    'SY002', null, 'a queue that holds messages is not dropped'
);
select is(symphony.drop_queue('q', force => true), true, 'a queue that holds messages is dropped by force');
select throws_ok($$select symphony.enqueue('A', queue_name => 'q')$$, 'SY001', null, 'the queue is gone');
select is_empty(
    $$select from symphony.message join symphony.lane using (lane_id) where queue_name = 'q'$$,
    'its messages are gone'
);
select is(symphony.create_queue('q'), true, 'its name is free again');

select throws_ok($$select symphony.cancel(4711)$$, 'SY003', null, 'an unknown message cannot be cancelled');
select throws_ok($$select symphony.cancel(null)$$, 'SY003', null, 'null is not a message');
select is_empty($$select * from symphony.check()$$, 'all invariants hold');
select * from finish();
