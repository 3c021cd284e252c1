-- queue_stats: it counts what is where, and what happened in the last minute and hour.
select plan(10);

select tap.set_clock('2030-01-01 12:00:00+00');

select results_eq(
    $$select queue_name, paused, pending, delayed, processing, failed, oldest_pending_age, claimed_last_hour,
             mean_waiting, mean_processing, idle_workers
      from symphony.queue_stats()$$,
    $$values ('default', false, 0::bigint, 0::bigint, 0::bigint, 0::bigint, null::interval,
              0::bigint, null::interval, null::interval, 0)$$,
    'an empty queue has nothing to tell'
);
select symphony.create_queue('a');
select results_eq(
    $$select queue_name from symphony.queue_stats()$$,
    $$values ('a'), ('default')$$,
    'all queues are listed if none is named'
);

select symphony.enqueue('A', priority => p) from unnest('{9,9,9,5,5,0}'::int[]) as p;
select symphony.enqueue('A', delay => '2 hours');
select tap.advance_clock('10 s');
select symphony.enqueue('A', priority => 0);
create temporary table c as select * from symphony.claim_batch(worker => 'w');
select results_eq(
    $$select pending, delayed, processing, oldest_pending_age, claimed_last_minute, finished_last_minute,
             mean_waiting, mean_processing
      from symphony.queue_stats('default')$$,
    $$values (4::bigint, 1::bigint, 3::bigint, '10 s'::interval,
              3::bigint, 0::bigint, '10 s'::interval, null::interval)$$,
    'three of seven are claimed, after ten seconds'
);
select tap.advance_clock('4 s');
select symphony.nack_with_backoff(claim_id, 1, 'x'),
       symphony.nack_with_backoff(claim_id, 2, 'x', retryable => false),
       symphony.ack(claim_id, '{3}')
from c limit 1;
select results_eq(
    $$select delayed, processing, failed, finished_last_minute, retried_last_hour, mean_processing
      from symphony.queue_stats('default')$$,
    $$values (2::bigint, 0::bigint, 1::bigint, 1::bigint, 1::bigint, '4 s'::interval)$$,
    'one is to be retried, one is dead, and only one counts as finished'
);
select tap.advance_clock('61 s');
select results_eq(
    $$select claimed_last_minute, claimed_last_hour, finished_last_minute, finished_last_hour
      from symphony.queue_stats('default')$$,
    $$values (0::bigint, 3::bigint, 0::bigint, 1::bigint)$$,
    'a minute later they count only for the hour'
);
select tap.advance_clock('1 hour');
select results_eq(
    $$select claimed_last_hour, finished_last_hour, retried_last_hour, mean_waiting
      from symphony.queue_stats('default')$$,
    $$values (0::bigint, 0::bigint, 0::bigint, null::interval)$$,
    'an hour later they do not count any more'
);
select is((select count(*) from symphony.queue_overview), 2::bigint, 'queue_overview shows all queues');

create temporary table r as select * from symphony.claim_batch(batch_size => 1);
select symphony.release(claim_id) from r;
select results_eq(
    $$select claimed_last_hour, finished_last_hour, pending from symphony.queue_stats('default')$$,
    $$values (1::bigint, 0::bigint, 4::bigint)$$,
    'what is given back was claimed, but is not finished'
);
select symphony.pause_queue('a');
select is((select paused from symphony.queue_stats('a')), true, 'a pause is shown');
select throws_ok($$select symphony.queue_stats('b')$$, 'SY001', null, 'there is no queue "b"');
select * from finish();
