-- message_status, why_not_running: they tell of a message with a key what it waits for, and who had it.
select plan(27);

\ir _keys.sql
create function pg_temp.why(name text) returns text language sql as $$
    select regexp_replace(symphony.why_not_running(pg_temp.id(name)), '\d\d:\d\d:\d\d(?=\.$)|\d{4}-.*', '…')
$$;

select symphony.create_queue('q', ordered => true, on_failure => 'hold');
select pg_temp.put('a1 a2 b1');
select is(pg_temp.take(1), 'a1', 'a key is in hands');
select is(pg_temp.take(), 'b1', 'and the next is passed');
select is(pg_temp.why('a2'), 'Its key a is in the hands of w, for ….', 'it is told who has the key');
select is(
    (select format('%s %s %s', attempt, worker, claim_id) from symphony.message_status(pg_temp.id('a2'))),
    '0  ', 'nobody has had what waits'
);
select is(pg_temp.fail('a1', '1 hour'), 'retry, returned none', 'the head is delayed');
select is(pg_temp.why('a2'),
          format('Its key a is held by message %s, which is handed out again at …', pg_temp.id('a1')),
          'it is told when it comes back');
select pg_temp.done('b1');
select results_eq(
    $$select group_key, waiting, held_by, held_by_is, in_hands from symphony.blocked_keys('q')$$,
    $$values ('a', 1::bigint, pg_temp.id('a1'), 'delayed', 0::bigint)$$, 'the key is among the blocked ones'
);
select tap.pass_time('1 hour 1 second');
select symphony.tick();
select is(pg_temp.why('a2'), format('Its key a is held by message %s, which is the next.', pg_temp.id('a1')),
          'it is told that the head is pending');
select results_eq(
    $$select held_by_is, available_at from symphony.blocked_keys('q')$$,
    $$values ('pending', null::timestamptz)$$, 'and nobody waits for a moment'
);
select is(pg_temp.take(1) || ' ' || pg_temp.fail('a1', retryable => false), 'a1 failed, returned none',
          'the head fails');
select alike(symphony.why_not_running(pg_temp.id('a2')), 'Its key a is held by message % failed for good: %',
             'it is told that a person has to do something');
select symphony.remove_failed(array[pg_temp.id('a1')]);
select is(pg_temp.why('a2'), 'Its key a is free again, and it is handed out when a worker asks.',
          'it is told that the key is free');
select is(pg_temp.take(), 'a2', 'a worker asks');
select is(
    (select status || ' by ' || worker from symphony.message_status(pg_temp.id('a2'))), 'processing by w',
    'whoever has what had waited is told'
);


select pg_temp.put('a3 c1 c2');
select is(pg_temp.take(), 'c1 c2', 'another key');
select results_eq(
    $$select group_key, waiting, held_by, in_hands, worker from symphony.blocked_keys()$$,
    $$values ('a', 1::bigint, null::bigint, 1::bigint, 'w')$$, 'only keys of which something waits are told'
);
select pg_temp.fail('c1', '1 hour');
select is(
    array[symphony.release_key('q', 'c'), symphony.release_key('q', 'c')], array[pg_temp.id('c1'), null],
    'a key can be let go'
);
select is(pg_temp.take(), 'c2', 'and the next one goes on');

-- Limits of a queue, whether a worker is known or not.
select tap.set_clock('2030-01-01 10:00+00');
create function pg_temp.why_of(queue text) returns text language sql as $$
    select symphony.why_not_running(min(message_id)) from symphony.list_messages('pending', queue)
$$;
create function pg_temp.holds(queue text) returns text language sql as $$
    select string_agg(hold || ': ' || detail, ' | ') from symphony.queue_holds(queue)
    where hold in ('limit', 'waiting')
$$;
select symphony.create_queue('few', concurrency => 1), symphony.create_queue('slow', rate => '1/1 hour');
select symphony.enqueue('T', queue_name => queue)
from unnest('{few,few,slow,slow}'::text[]) as queue;
select is(pg_temp.holds('few'), null, 'no limit is reached');
select count(*) from symphony.claim_batch('{few}');
select count(*) from symphony.claim_batch('{slow}');
select alike(pg_temp.why_of('few'),
             'Queue "few" lets workers have 1 message at a time, and they have 1. No worker consumes %',
             'a limit that is reached is told, and that no worker is known');
select is(pg_temp.holds('few'),
          'limit: Queue "few" lets workers have 1 message at a time, and they have 1.',
          'a queue tells it, too');
select alike(pg_temp.why_of('slow'),
             'The rate of queue "slow", 1/3600 s, allows the next one in 3600 s. No worker consumes %',
             'and a rate');
select symphony.heartbeat('w', '{few,slow}');
select is(pg_temp.why_of('few'), 'Queue "few" lets workers have 1 message at a time, and they have 1.',
          'with a worker nothing else holds it up');
select tap.advance_clock('57 min 3.5 s');
select symphony.heartbeat('w', '{few,slow}');
select is(pg_temp.why_of('slow'), 'The rate of queue "slow", 1/3600 s, allows the next one in 176.5 s.',
          'the time that is left gets less');
select is(pg_temp.holds('slow'),
          'limit: The rate of queue "slow", 1/3600 s, allows the next one in 176.5 s.', 'also for the queue');
select pg_temp.put('d1 d2 d3');
select pg_temp.take(1), pg_temp.take();
select is(pg_temp.holds('q'), 'waiting: 3 of its messages wait for their keys: symphony-pg key list q',
          'how many wait for their keys is told of their queue');
select is((select group_key from symphony.message_status(pg_temp.id('d2'))), 'd', 'and of a message its key');
select * from finish();
