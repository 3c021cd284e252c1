-- message_status, why_not_running: they tell of a message with a key what it waits for, and who had it.
select plan(17);

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
select * from finish();
