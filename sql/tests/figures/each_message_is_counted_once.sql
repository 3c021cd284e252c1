-- queue_stats, queue_figures, queue_totals: each message is counted once, whenever it is committed.
select plan(29);

create function pg_temp.fold() returns void language plpgsql as $$
begin
    perform tap.advance_clock('1 minute');
    perform symphony.tick();
end $$;
create function pg_temp.fill(queue_name text, n integer) returns bigint language sql as $$
    select count(*) from symphony.enqueue_batch((
        select jsonb_agg(jsonb_build_object('message_type', 'A', 'queue_name', fill.queue_name))
        from generate_series(1, n)))
$$;
create view pg_temp.total as
    select arrived, claimed, completed, retried, failed, returned from symphony.queue_totals('q');
create view pg_temp.figures as
    select sum(arrived) as arrived, sum(claimed) as claimed, sum(completed) as completed,
           sum(retried) as retried, sum(failed) as failed, sum(returned) as returned
    from symphony.queue_figures('q', since => '-infinity');

select tap.set_clock('2030-01-01 12:00:30+00');
select symphony.create_queue('q', retry_delay => '1 s', retry_jitter => 0, lease => '10 min');
select symphony.tick();

-- What comes in.
select pg_temp.fill('q', 2500);
select results_eq(
    $$select pending, arrived_last_hour, at_least, why_at_least from symphony.queue_stats('q')$$,
    $$values (2500::bigint, 2500::bigint, '{}'::text[], null::text)$$,
    'what came in since the last fold is counted by the look'
);
select pg_temp.fold();
select results_eq(
    $$select count(*), sum(messages), max(messages) from symphony.stretch$$,
    $$values (3::bigint, 2500::bigint, 1000)$$,
    'a fold counts what is pending in stretches of a thousand'
);
select results_eq(
    $$select pending, arrived_last_hour from symphony.queue_stats('q')$$,
    $$values (2500::bigint, 2500::bigint)$$,
    'after the fold it is as many'
);
select tap.elsewhere('late', 'begin');
select tap.elsewhere('late', $$select count(*) from symphony.enqueue_batch((
    select jsonb_agg(jsonb_build_object('message_type', 'A', 'queue_name', 'q'))
    from generate_series(1, 30)))$$);
select tap.elsewhere('gone', 'begin');
select tap.elsewhere('gone', $$select symphony.enqueue('A', queue_name => 'q')$$);
select pg_temp.fill('q', 10);
select pg_temp.fold();
select is((select pending from symphony.queue_stats('q')), 2510::bigint,
          'what is not committed is not there, and what comes after it is');
select tap.elsewhere('gone', 'rollback');
select tap.elsewhere('late', 'commit');
select is((select pending from symphony.queue_stats('q')), 2540::bigint, 'what is committed late is');
select pg_temp.fold();
select results_eq(
    $$select pending, arrived_last_hour from symphony.queue_stats('q')$$,
    $$values (2540::bigint, 2540::bigint)$$,
    'each came in once, and what was rolled back did not'
);

-- What goes out.
create temporary table c as select * from symphony.claim_batch('{q}', 700);
select is((select pending from symphony.queue_stats('q')), 1840::bigint,
          'a position in the middle of a stretch leaves the rest of it');
select symphony.nack_with_backoff(claim_id, message_id, 'x')
from (select * from c order by message_id limit 2) as first;
select symphony.nack_with_backoff(claim_id, message_id, 'x', retryable => false)
from (select * from c order by message_id offset 2 limit 3) as next;
select symphony.release(min(claim_id), (select array_agg(message_id) from (
    select message_id from c order by message_id offset 5 limit 4) as given)) from c;
select results_eq(
    'table pg_temp.total',
    $$values (2544::bigint, 700::bigint, 0::bigint, 2::bigint, 3::bigint, 4::bigint)$$,
    'what is settled of an open claim counts in the totals; what was given back came in again'
);
select pg_temp.fold();
select results_eq(
    'table pg_temp.figures',
    $$values (2546::numeric, 700::numeric, 0::numeric, 0::numeric, 0::numeric, 0::numeric)$$,
    'in the figures it counts when its claim is over; what is retried came in again'
);

-- An ack that is committed 90 seconds later.
select tap.elsewhere('ack', 'begin');
select tap.elsewhere('ack', format('select symphony.ack(%s)', min(claim_id))) from c;
select pg_temp.fold();
select is((select completed from pg_temp.total), 0::bigint, 'an ack that is not committed does not count');
select tap.pass_time('30 s');
select tap.elsewhere('ack', 'commit');
select is((select completed from pg_temp.total), 691::bigint, 'it does as soon as it is');
select pg_temp.fold();
select results_eq(
    'table pg_temp.figures',
    $$values (2546::numeric, 700::numeric, 691::numeric, 2::numeric, 3::numeric, 4::numeric)$$,
    'the next fold finds it'
);
select pg_temp.fold();
select results_eq(
    'select completed, retried, failed, returned from pg_temp.figures',
    $$values (691::numeric, 2::numeric, 3::numeric, 4::numeric)$$,
    'and no other one does'
);
select results_eq(
    'table pg_temp.total',
    $$values (2546::bigint, 700::bigint, 691::bigint, 2::bigint, 3::bigint, 4::bigint)$$,
    'the totals are those of the figures'
);
select is(
    (select begins_at from symphony.queue_figures('q', since => '-infinity') where completed > 0),
    (select date_trunc('minute', finished_at) from symphony.claim
     where claim_id = (select min(claim_id) from c)),
    'it counts for the minute in which it was acknowledged'
);

-- What leaves otherwise.
select symphony.cancel(max(message_id)) from symphony.message;
select results_eq(
    $$select pending, (select arrived from pg_temp.total) from symphony.queue_stats('q')$$,
    $$values (1845::bigint, 2546::bigint)$$,
    'a message that was counted is pending no longer when it is cancelled'
);
select symphony.enqueue('A', queue_name => 'q');
select symphony.cancel(max(message_id)) from symphony.message;
select is((select arrived from pg_temp.total), 2547::bigint,
          'one that was cancelled before it was counted had come in');
select pg_temp.fold();
select results_eq(
    $$select pending, (select arrived from pg_temp.total) from symphony.queue_stats('q')$$,
    $$values (1845::bigint, 2547::bigint)$$,
    'a fold changes nothing of that'
);
select symphony.enqueue('A', queue_name => 'q');
select symphony.purge_queue('q');
select results_eq(
    $$select pending, (select arrived from pg_temp.total) from symphony.queue_stats('q')$$,
    $$values (0::bigint, 2548::bigint)$$,
    'what is dropped is pending no longer, and had come in'
);
select pg_temp.fold();
select is((select arrived from pg_temp.figures), 2548::numeric, 'the figures say the same');
select is_empty('table symphony.stretch', 'stretches behind the position are forgotten');

select symphony.create_queue('q2', ordered => true, lease => '1 hour');
select symphony.enqueue('A', queue_name => 'q2', group_key => k)
from unnest('{a,a,b,a,c}'::text[]) as k;
create temporary table o as select * from symphony.claim_batch('{q2}', 2);
create temporary table o2 as select * from symphony.claim_batch('{q2}', 10);
select results_eq(
    $$select pending, waiting, processing, arrived_last_hour from symphony.queue_stats('q2')$$,
    $$values (0::bigint, 1::bigint, 4::bigint, 5::bigint)$$,
    'what is parked for its key is pending no longer, and came in once'
);
select symphony.ack(min(claim_id)) from o;
select symphony.ack(min(claim_id)) from symphony.claim_batch('{q2}', 10);
select pg_temp.fold();
select results_eq(
    $$select arrived, claimed from symphony.queue_totals('q2')$$,
    $$values (5::bigint, 5::bigint)$$,
    'when it is handed out later, it does not come in again'
);

-- What is given back to wait for its key again.
create view pg_temp.ordered as
    select total.arrived, total.claimed, total.returned, stats.pending + stats.waiting as left_over
    from symphony.queue_totals('q2') as total, symphony.queue_stats('q2') as stats;
select symphony.enqueue('A', queue_name => 'q2', group_key => k)
from unnest('{d,d,d,e}'::text[]) as k;
create temporary table o3 as select * from symphony.claim_batch('{q2}', 10);
select pg_temp.fold();
select symphony.release(claim_id, array[message_id])
from (select * from o3 order by message_id limit 1) as first;
select results_eq(
    'table pg_temp.ordered',
    $$values (12::bigint, 9::bigint, 3::bigint, 3::bigint)$$,
    'what was given back in its place came in again: that is what was handed out, and what is left'
);
select pg_temp.fold();
select is((select arrived_last_hour from symphony.queue_stats('q2')), 12::bigint,
          'so it is in the figures, while the claim is open');
select symphony.ack((select min(claim_id) from o3));
select pg_temp.fold();
select results_eq(
    'table pg_temp.ordered',
    $$values (12::bigint, 9::bigint, 3::bigint, 3::bigint)$$,
    'and it is counted once when the claim is over'
);
create temporary table o4 as select * from symphony.claim_batch('{q2}', 10);
select symphony.nack_with_backoff(claim_id, message_id, 'x', retry_after => '1 hour')
from (select * from o4 order by message_id limit 1) as first;
select results_eq(
    'table pg_temp.ordered',
    $$values (14::bigint, 12::bigint, 5::bigint, 2::bigint)$$,
    'what follows a message that is retried came in again, too'
);
select pg_temp.fold();
select is(
    (select sum(arrived) from symphony.queue_figures('q2', since => '-infinity')), 14::numeric,
    'a fold that comes when the claim is over counts it once'
);
select symphony.drop_queue('q2', force => true);
select is_empty(
    $$select from symphony.figure where lane_id not in (select lane_id from symphony.lane)
      union all select from symphony.tally where lane_id not in (select lane_id from symphony.lane)$$,
    'a queue that is dropped takes its figures along'
);
select * from finish();
