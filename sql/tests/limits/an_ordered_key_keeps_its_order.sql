-- An ordered queue: the messages of a key are worked on one after the other, whatever becomes of them.
select plan(43);

\ir _keys.sql

select symphony.create_queue('q', ordered => true, max_attempts => 3, lease => '30 s');

select pg_temp.put('a1 b1 a2 a3 b2');
select is(pg_temp.take(2), 'a1 b1', 'a claim takes the first messages of free keys');
select pg_temp.put('c1');
select is(pg_temp.take(), 'c1', 'the next one passes what has its key in hands, and takes what is behind');
select is(pg_temp.state('a1 a2 b2 c1'), 'processing waiting waiting processing', 'what was passed waits');
select is(
    (select format('%s pending, %s waiting, %s in the view', pending, waiting,
                   (select count(*) from symphony.pending_message)) from symphony.queue_stats('q')),
    '0 pending, 3 waiting, 3 in the view', 'the figures say so'
);
select is(pg_temp.take(), 'none', 'and nobody gets it meanwhile');
select is(pg_temp.done('b1'), 1::bigint, 'a key is let go');
select is(pg_temp.take(), 'b2', 'by one message, though others of the claim are open');
select is(pg_temp.done('a1 b2 c1'), 3::bigint, 'all are done');
select pg_temp.put('a4');
select is(pg_temp.take(), 'a2 a3 a4', 'a claim takes all that waits of a free key, and what is behind');

-- Retries.
select is(pg_temp.done('a2'), 1::bigint, 'the head is done');
select is(pg_temp.fail('a3', '5 s'), 'retry, returned a4', 'what follows it is given back');
select pg_temp.put('a5 d1');
select is(pg_temp.take(), 'd1', 'nothing of its key is handed out');
select is(pg_temp.state('a3 a4 a5'), 'delayed waiting waiting', 'until it comes back');
select tap.pass_time('6 s');
select symphony.tick();
select is(pg_temp.take(), 'a3', 'it comes back before the others');
select is(pg_temp.fail('a3'), 'retry, returned none', 'and may fail again');
select is(pg_temp.take(), 'a3', 'it is still the first');
select is(pg_temp.done('a3'), 1::bigint, 'when it is done');
select is(pg_temp.take(), 'a4 a5', 'the others follow, in order');

-- Snoozes.
select is(
    (select outcome || ', returned ' || pg_temp.names(returned)
     from pg_temp.open('a4') as o, symphony.snooze(o.claim_id, o.message_id, '3 s')),
    'snoozed, returned a5', 'what follows a snoozed message is given back'
);
select is(pg_temp.take(), 'none', 'and waits for it');
select tap.pass_time('4 s');
select symphony.tick();
select is(pg_temp.take(), 'a4', 'which is handed out alone');
select is(pg_temp.done('a4 d1'), 2::bigint, 'it is done');
select is(pg_temp.take(), 'a5', 'the other one follows');

-- Releases.
select pg_temp.put('e1 e2 e3 e4');
select is(pg_temp.take(), 'e1 e2 e3 e4', 'a batch of one key');
select is((select symphony.release(o.claim_id, array[o.message_id]) from pg_temp.open('e2') as o), 3,
          'what is released takes what follows it along');
select pg_temp.put('e5');
select is(pg_temp.take(), 'none', 'it waits as long as the head is in hands');
select is((select symphony.release(o.claim_id) from pg_temp.open('e1') as o), 1, 'which is released, too');
select is(pg_temp.take(), 'e1 e2 e3 e4 e5', 'all are in their places');
select is(pg_temp.done('a5'), 1::bigint, 'the last of another key is done');

-- Lease ends.
select tap.pass_time('31 s');
select symphony.tick();
select is(pg_temp.take(), 'e1', 'after a lease end the head is handed out alone');
select is((select array_agg(attempt order by message_id) from symphony.message where group_key = 'e'),
          '{1,0,0,0,0}'::smallint[], 'and it alone has used an attempt');
select is(pg_temp.take(), 'none', 'the others wait for it');
select is(pg_temp.done('e1'), 1::bigint, 'when it is done');
select is(pg_temp.take(), 'e2 e3 e4 e5', 'they follow in order');

-- Failures.
select is(pg_temp.fail('e2', retryable => false), 'failed, returned none', 'the rest goes on');
select is(pg_temp.done('e3 e4 e5'), 3::bigint, 'in the same hands');
select symphony.configure_queue('q', on_failure => 'hold');
select pg_temp.put('f1 f2');
select is(pg_temp.take(), 'f1 f2', 'another key');
select is(pg_temp.fail('f1', retryable => false), 'failed, returned f2', 'or a failure holds the key');
select is(pg_temp.take(), 'none', 'until a person says what to do');
select symphony.retry_failed(array[pg_temp.id('f1')]);
select is(pg_temp.take(), 'f1', 'such as to replay it');
select is(pg_temp.fail('f1', retryable => false), 'failed, returned none', 'it fails again');
select symphony.remove_failed(array[pg_temp.id('f1')]);
select is(pg_temp.take(), 'f2', 'or to remove it');

select is((select count(*) from symphony.parked), 0::bigint, 'nothing waits in the end');
select * from finish();
