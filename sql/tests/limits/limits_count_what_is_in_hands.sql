-- concurrency and key_concurrency count what is in the hands of workers.
select plan(21);

\ir _keys.sql

select symphony.create_queue('q', key_concurrency => 2, lease => '30 s');
select pg_temp.put('a1 a2 a3 b1 a4');
select is(pg_temp.take(1), 'a1', 'one of two');
select is(pg_temp.take(), 'a2 b1', 'no more than two of a key');
select is(pg_temp.state('a3 a4'), 'waiting waiting', 'the others wait');
select is(pg_temp.fail('a2', '5 s'), 'retry, returned none', 'a retry holds up nobody');
select is(pg_temp.take(), 'a3', 'its place is taken');
select is(pg_temp.done('a1 a3'), 2::bigint, 'both are done');
select pg_temp.put('a5 a6');
select is(pg_temp.take(), 'a4 a5', 'what waits goes before what is new, which has the next place');
select is(pg_temp.take(), 'none', 'the limit is reached again');
select tap.pass_time('31 s');
select symphony.tick();
select is(pg_temp.take() || ' ' || pg_temp.take(), 'b1 a6',
          'after a lease end nothing is counted any more, and what waits goes first');
select is(pg_temp.take(), 'a4', 'what comes back is handed out alone');
select is(pg_temp.take(), 'none', 'and the limit counts for it, too');
select is(pg_temp.done('b1 a4 a6'), 3::bigint, 'three are done');
select is(concat_ws(' ', pg_temp.take(), pg_temp.take(), pg_temp.take()), 'a5 a2 none',
          'the others follow');
select is(pg_temp.done('a5 a2'), 2::bigint, 'these are done');

select symphony.create_queue('r', concurrency => 3);
select symphony.enqueue('T', queue_name => 'r', priority => n) from generate_series(1, 9) as n;
select is((select count(*) from symphony.claim_batch('{r}', 2)), 1::bigint, 'each priority is a lane');
select is((select count(*) from symphony.claim_batch('{r}', 2)), 1::bigint, 'and all are counted');
select is((select count(*) from symphony.claim_batch('{r}', 2)), 1::bigint, 'up to the limit');
select is((select count(*) from symphony.claim_batch('{r}', 2)), 0::bigint, 'and no further');
select alike(symphony.why_not_running((select max(message_id) - 8 from symphony.message
                                       join symphony.lane using (lane_id) where queue_name = 'r')),
             'Queue "r" lets workers have 3 messages at a time, and they have 3. No worker consumes%',
             'why_not_running tells both reasons');
select symphony.heartbeat('w', '{r}', '{}');
select is(symphony.why_not_running((select max(message_id) - 8 from symphony.message
                                    join symphony.lane using (lane_id) where queue_name = 'r')),
          'Queue "r" lets workers have 3 messages at a time, and they have 3.', 'the limit is another one');
select symphony.ack(claim_id) from symphony.claim join symphony.lane using (lane_id)
where queue_name = 'r' and open_ids <> '{}' limit 1;
select is((select count(*) from symphony.claim_batch('{r}', 2)), 1::bigint, 'what is settled makes room');
select * from finish();
