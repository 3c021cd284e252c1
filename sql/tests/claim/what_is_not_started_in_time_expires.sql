-- What is not started by its expires_at is handed out to nobody: it fails, or is dropped.
select plan(44);

create function pg_temp.put(name text, expires_in interval default null, queue text default 'q',
                            delay interval default null, on_expiry text default null)
returns bigint language sql as $$
    select symphony.enqueue('T', to_jsonb(name), queue, delay => delay, expires_in => expires_in,
                            on_expiry => on_expiry)
$$;
create function pg_temp.take(at_most integer default 10, queue text default 'q')
returns text language sql as $$
    select coalesce(string_agg(body #>> '{}', ' '), 'none')
    from symphony.claim_batch(array[queue], at_most, 'w')
$$;
create function pg_temp.failed(queue text default 'q') returns text language sql as $$
    select coalesce(string_agg(f.body #>> '{}', ' ' order by f.failed_at, f.message_id), 'none')
    from symphony.failed_messages(queue) as f
$$;

select symphony.create_queue('q');
select tap.set_clock('2030-01-01 10:00+00');

-- A lane that has never seen an expiry does not know of any.
select pg_temp.put('plain');
select is(pg_temp.take(), 'plain', 'what does not expire is handed out');
select ok(not bool_or(expires), 'no lane looks for what expires') from symphony.lane;

-- In time.
select pg_temp.put('a', '10 s'), pg_temp.put('b');
select tap.advance_clock('9 s');
select is(pg_temp.take(), 'a b', 'what is in time is handed out');
select symphony.ack(claim_id) from symphony.claim where open_ids <> '{}';

-- Too late: in the middle of others, and before any tick has marked the lane.
select pg_temp.put('c'), pg_temp.put('d', '10 s'), pg_temp.put('e'),
       pg_temp.put('f', '10 s', on_expiry => 'drop');
select tap.advance_clock('10 s');
select is(symphony.why_not_running(message_id),
          'It expired at ' || expires_at || ': it fails as soon as a worker comes to it.',
          'it is told that it has expired')
from symphony.message where body = '"d"';
select is(pg_temp.take(), 'c e', 'what is late is not handed out, and its neighbours are');
select is(pg_temp.failed(), 'd', 'one has failed, and one was dropped');
select results_eq(
    $$select f.reason, f.error_class, f.attempt, f.worker, f.last_error
      from symphony.failed_message as f$$,
    $$values ('expired', 'MessageExpired', 0::smallint, null::text,
              'expired: it was not started by 2030-01-01 10:00:19+00')$$,
    'it says that it has expired, and that no attempt was made'
);
select results_eq(
    $$select h.event, h.attempt, h.worker, h.error_class
      from symphony.failed_message as f, lateral symphony.message_history(f.message_id) as h$$,
    $$values ('expired', 0, null::text, 'MessageExpired')$$, 'its history says so, too'
);
select is((select count(*) from symphony.attempt), 1::bigint, 'what was dropped has no history');
select results_eq(
    $$select size, failed, returned, cardinality(open_ids) from symphony.claim
      order by claim_id desc limit 1$$,
    $$values (4, 1, 1, 2)$$, 'the claim counts what was never handed out'
);
select is(symphony.ack(claim_id), 2, 'the rest of the claim is settled as ever')
from symphony.claim where open_ids <> '{}';
select symphony.tick();
select results_eq(
    $$select priority::integer, alone from symphony.lane where expires$$, $$values (5, false)$$,
    'the tick marks the lane'
);
select is_empty('select * from symphony.lane_use', 'and forgets that it was told');

-- A message brought back does not expire.
select symphony.retry_failed(array_agg(message_id)) from symphony.failed_message;
select is(expires_at, null, 'what is replayed has no end any more') from symphony.message where body = '"d"';
select tap.advance_clock('1 hour');
select is(pg_temp.take(), 'd', 'and is handed out');
select symphony.ack(claim_id) from symphony.claim where open_ids <> '{}';

-- All of them are late.
select count(pg_temp.put('late' || n, '1 s')) from generate_series(1, 25) as n;
select pg_temp.put('g');
select tap.advance_clock('1 s');
select results_eq(
    $$select body #>> '{}', has_more from symphony.claim_batch('{q}', 10, 'w')$$,
    $$values ('g', false)$$, 'a claim goes on past those that are late, however many'
);
select is(count(*), 25::bigint, 'all have failed') from symphony.failed_message;
select count(pg_temp.put('late' || n, '1 s')) from generate_series(1, 3) as n;
select tap.advance_clock('1 s');
select is(pg_temp.take(), 'none', 'where nothing else is, nothing is handed out');
select is((select count(*) from symphony.claim where open_ids <> '{}'), 1::bigint,
          'and no claim is left open but that of g');
select symphony.ack(claim_id) from symphony.claim where open_ids <> '{}';
select is(sum(messages)::integer, 28, 'they are removed by their class')
from symphony.remove_failed(error_class => 'MessageExpired');

-- expires_in counts from when it is due.
select pg_temp.put('h', '10 s', delay => '1 hour');
select is(s.expires_at - s.available_at, '10 s'::interval, 'expires_in counts from when it is due')
from symphony.delayed_message as d, lateral symphony.message_status(d.message_id) as s;
select matches(symphony.why_not_running(message_id), 'waits until .* If it does not start by .*, it fails\.$',
               'it is told until when it may start')
from symphony.delayed_message;
select tap.pass_time('1 hour');
select symphony.tick();
select is(pg_temp.take(), 'h', 'it is handed out when it is due');

-- Between attempts.
select results_eq(
    $$select n.outcome, n.available_at from symphony.claim as c,
      lateral symphony.nack_with_backoff(c.claim_id, c.open_ids[1], 'boom', retry_after => '1 minute') as n
      where c.open_ids <> '{}'$$,
    $$select 'retry', symphony._now() + interval '10 s'$$,
    'a retry that would be too late comes back when it expires'
);
select tap.pass_time('10 s');
select symphony.tick();
select is(pg_temp.take(), 'none', 'and is not handed out again');
select results_eq(
    $$select attempt, reason, last_error like 'expired: % by %: boom' from symphony.failed_message$$,
    $$values (1::smallint, 'expired', true)$$, 'it keeps its attempts and its last error'
);
select results_eq(
    $$select h.event, h.attempt
      from symphony.failed_message as f, lateral symphony.message_history(f.message_id) as h$$,
    $$values ('retry', 1), ('expired', 1)$$, 'and its history'
);
select symphony.remove_failed(everything => true);

-- A snooze, and a release.
select pg_temp.put('i', '10 s'), pg_temp.put('j', '10 s');
select is(pg_temp.take(), 'i j', 'two are handed out');
select is(n.available_at, symphony._now() + interval '10 s', 'a snooze ends when it expires')
from symphony.claim as c, lateral symphony.snooze(c.claim_id, c.open_ids[1], '1 hour') as n
where c.open_ids <> '{}';
select symphony.release(claim_id) from symphony.claim where open_ids <> '{}';
select tap.pass_time('10 s');
select symphony.tick();
select is(pg_temp.take(), 'none', 'neither is handed out again');
select is(pg_temp.failed(), 'i j', 'both have failed');
select symphony.remove_failed(everything => true);

-- The end of a lease: it goes on alone, and expires there, too.
select pg_temp.put('k', '40 s');
select is(pg_temp.take(), 'k', 'it is handed out');
select tap.pass_time('35 s');
select symphony.tick();
select is(s.status, 'pending', 'its lease is over') from symphony.message as m,
lateral symphony.message_status(m.message_id) as s where m.body = '"k"';
select tap.pass_time('5 s');
select is(pg_temp.take(), 'none', 'it is too late to hand it out again');
select is(reason, 'expired', 'it has failed') from symphony.failed_message;
select symphony.remove_failed(everything => true);

-- Keys: a message that was dropped has left its key, one that failed has not.
select symphony.enqueue('T', '1', 'q', idempotency_key => 'x', expires_in => '1 s', on_expiry => 'drop');
select symphony.enqueue('T', '2', 'q', idempotency_key => 'y', expires_in => '1 s');
select tap.advance_clock('1 s');
select pg_temp.take();
select bag_eq('select key from symphony.idempotency_key', $$values ('y')$$,
              'the key of what was dropped is free');
select symphony.remove_failed(everything => true);

-- Cancelled in time, or too late, but before a claim came.
select ok(symphony.cancel(pg_temp.put('l', '1 s')), 'what expires can be cancelled');
select pg_temp.put('m', '1 s');
select tap.advance_clock('1 s');
select ok(symphony.cancel(message_id), 'also when it has expired')
from symphony.message where body = '"m"';

-- Late commits: the time counts, not the transaction.
select tap.elsewhere('other', 'begin');
select tap.elsewhere('other', $$select symphony.enqueue('T', '"n"', 'q', expires_in => '1 s')$$);
select tap.elsewhere('other', $$select symphony.enqueue('T', '"o"', 'q')$$);
select tap.advance_clock('1 s');
select is(pg_temp.take(), 'none', 'what is not committed is nowhere');
select tap.elsewhere('other', 'commit');
select is(pg_temp.take(), 'o', 'what was committed too late has expired');
select is(pg_temp.failed(), 'n', 'and has failed');

-- Another priority, another queue: a batch of such messages.
select symphony.create_queue('r');
select is(count(*), 3::bigint, 'a batch takes messages that expire, and others')
from symphony.enqueue_batch(
    '[{"message_type": "T", "queue_name": "r", "body": "p"},
      {"message_type": "T", "queue_name": "r", "body": "q", "expires_in": "1 s", "on_expiry": "drop"},
      {"message_type": "T", "queue_name": "r", "body": "s", "priority": 7, "expires_at": "2031-01-01"}]');
select tap.advance_clock('1 s');
select is(pg_temp.take(queue => 'r') || ' ' || pg_temp.take(queue => 'r'), 's p', 'and they expire');
select is_empty('select * from symphony.check()', 'every invariant holds');
select * from finish();
