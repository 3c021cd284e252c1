-- on_duplicate => 'replace': the last one counts, and nothing is lost.  run_message_now: it need not wait.
select plan(38);

create function pg_temp.put(body text, delay interval default '10 s', on_duplicate text default 'replace',
                            key text default 'k')
returns bigint language sql as $$
    select symphony.enqueue('T', to_jsonb(body), 'q', delay => delay, idempotency_key => key,
                            on_duplicate => on_duplicate)
$$;
create function pg_temp.take() returns text language sql as $$
    select coalesce(string_agg(body #>> '{}', ' '), 'none') from symphony.claim_batch('{q}', 10, 'w')
$$;
create function pg_temp.pass(wait interval) returns void language plpgsql as $$
begin
    perform tap.pass_time(wait);
    perform symphony.tick();
end $$;
create function pg_temp.delayed() returns text language sql as $$
    select coalesce(string_agg(format('%s in %s s', body #>> '{}', extract(epoch from available_at
                                                                          - symphony._now())::integer),
                               ', ' order by message_id), 'none') from symphony.delayed_message
$$;
select symphony.create_queue('q', idempotency_window => '1 hour');
select tap.set_clock('2030-01-01 10:00+00');

-- Debounce.
create temporary table first as select pg_temp.put('a') as id;
select pg_temp.pass('4 s');
select is(pg_temp.put('b'), id, 'a message that waits is replaced, and keeps its id') from first;
select is(pg_temp.delayed(), 'b in 10 s', 'it has the body and the time of the last one');
select is(enqueued_at, symphony._now() - interval '4 s', 'and was enqueued when the first was')
from symphony.delayed_message;
select pg_temp.pass('6 s');
select is(pg_temp.take(), 'none', 'the time of the first one counts no more');
select is(pg_temp.put('c', on_duplicate => 'keep'), id, 'keep leaves it as it is') from first;
select is(pg_temp.put('c', on_duplicate => null), id, 'which is the default') from first;
select is(pg_temp.delayed(), 'b in 4 s', 'so it was not changed');
select pg_temp.pass('4 s');
select is(pg_temp.take(), 'b', 'it runs when nobody has replaced it for its delay');

-- Too late: the new one is enqueued, and has the key.
select isnt(pg_temp.put('d'), id, 'one that has started is not replaced: the new one is enqueued') from first;
select is(pg_temp.delayed(), 'd in 10 s', 'it waits beside the one that runs');
create temporary table second as select message_id as id from symphony.delayed_message;
select is(pg_temp.put('e', '20 s'), id, 'and is the one to be replaced now') from second;
select symphony.ack(claim_id) from symphony.claim where open_ids <> '{}';
select is(pg_temp.delayed(), 'e in 20 s', 'the next one finds that');

-- At once.
select is(pg_temp.put('f', null), id, 'without a delay it is to run at once') from second;
select is(pg_temp.take(), 'f', 'and is handed out');

-- One that is to be retried gets the new content, and keeps its attempts.
select is(n.outcome, 'retry', 'it is to be retried')
from symphony.claim as c, lateral symphony.nack_with_backoff(c.claim_id, c.open_ids[1], 'x') as n
where c.open_ids <> '{}';
select is(pg_temp.put('g', '5 s'), id, 'it is replaced') from second;
select results_eq($$select body #>> '{}', attempt from symphony.delayed_message$$,
                  $$values ('g', 1::smallint)$$, 'the old body is not run after the new one');
select pg_temp.pass('5 s');
select is(pg_temp.take(), 'g', 'it is handed out');
select symphony.nack_with_backoff(claim_id, open_ids[1], 'x', retryable => false) from symphony.claim
where open_ids <> '{}';
select isnt(pg_temp.put('h'), id, 'a failed one is left to people, and the new one is enqueued') from second;

-- All that is told of a message is told anew; queue, priority and group stay.
create temporary table third as select symphony.enqueue(
    'Old', '1', 'q', 7, delay => '1 h', idempotency_key => 'all', group_key => 'g', headers => '{"a": 1}',
    retry => '{"max_attempts": 2}', expires_in => '1 s', on_expiry => 'drop') as id;
select symphony.enqueue(
    'New', '2', 'q', 3, delay => '2 h', idempotency_key => 'all', group_key => 'other', headers => '{"b": 2}',
    on_duplicate => 'replace');
select results_eq(
    $$select s.message_type, s.body, s.headers, s.priority, d.group_key, d.retry, d.expires_at, d.on_expiry
      from symphony.delayed_message as d, third, lateral symphony.message_status(id) as s
      where d.message_id = id$$,
    $$values ('New', '2'::jsonb, '{"b": 2}'::jsonb, 7, 'g', null::jsonb, null::timestamptz, null::text)$$,
    'it has all of the last one but its place'
);
select throws_ok(
    $$select symphony.enqueue('', '2', 'q', delay => '2 h', idempotency_key => 'all',
                              on_duplicate => 'replace')$$,
    '22023', null, 'what may not be enqueued replaces nothing'
);

-- A window for each call.
select symphony.enqueue('T', '1', 'q', idempotency_key => 'w', idempotency_window => '1 minute');
select is(symphony.enqueue('T', '2', 'q', idempotency_key => 'w'), max(message_id),
          'a key is in use for the window of its call') from symphony.message;
select pg_temp.pass('1 minute');
select isnt(symphony.enqueue('T', '2', 'q', idempotency_key => 'w'), max(message_id),
            'and free after it') from symphony.message;
select is(expires_at, symphony._now() + interval '1 hour', 'another call has the window of its queue')
from symphony.idempotency_key where key = 'w';
select pg_temp.put('x', '1 h', key => 'v');
select symphony.enqueue('T', '"y"', 'q', delay => '2 h', idempotency_key => 'v', on_duplicate => 'replace',
                        idempotency_window => '3 h');
select is(expires_at, symphony._now() + interval '3 hours', 'the key of what is replaced is in use anew')
from symphony.idempotency_key where key = 'v';

-- In a batch the last one of a key counts.
create temporary table batch as select symphony.enqueue_batch(
    '[{"message_type": "T", "body": "m", "queue_name": "q", "delay": "1 h", "idempotency_key": "b",
       "on_duplicate": "replace"},
      {"message_type": "T", "body": "n", "queue_name": "q", "delay": "2 h", "idempotency_key": "b",
       "on_duplicate": "replace"}]') as id;
select is(count(distinct id), 1::bigint, 'two of a batch with one key are one message') from batch;
select is(d.body, '"n"', 'with the content of the last one') from symphony.delayed_message as d
where message_id in (select id from batch);

-- Several deliveries are not replaced.
select symphony.sync_handlers('Two', '{one,two}');
select throws_ok(
    $$select symphony.enqueue('Two', delay => '1 h', idempotency_key => 't', on_duplicate => 'replace')$$,
    '22023', null, 'a message with several deliveries cannot replace another one'
);
select symphony.enqueue('Two', delay => '1 h', idempotency_key => 't');
select throws_ok(
    $$select symphony.enqueue('T', queue_name => 'default', delay => '1 h', idempotency_key => 't',
                              on_duplicate => 'replace')$$,
    '22023', null, 'nor be replaced'
);

-- Run now.
truncate symphony.delayed_message;
delete from symphony.idempotency_key;
select symphony.claim_batch('{q}');
select symphony.ack(claim_id) from symphony.claim where open_ids <> '{}';
create temporary table later as select symphony.enqueue('T', '"later"', 'q', delay => '1 day') as id;
select lives_ok($$select symphony.run_message_now(id) from later$$, 'what is delayed is run now');
select is(pg_temp.take(), 'later', 'it is handed out');
select throws_ok($$select symphony.run_message_now(id) from later$$, '55000', null,
                 'one that runs cannot be run now');
select symphony.nack_with_backoff(claim_id, open_ids[1], 'x') from symphony.claim where open_ids <> '{}';
select symphony.run_message_now(id) from later;
select is(pg_temp.take(), 'later', 'what is to be retried is run now');
select symphony.snooze(claim_id, open_ids[1], '1 hour') from symphony.claim where open_ids <> '{}';
select symphony.run_message_now(id) from later;
select throws_ok($$select symphony.run_message_now(id) from later$$, '55000', null,
                 'what is pending need not be told twice');
select results_eq($$select attempt from symphony.message_status((select id from later))$$, $$values (1)$$,
                  'it keeps its attempts');
select results_eq(
    $$select action, arguments, role_name = session_user from symphony.audit where action = 'run_message_now'
      limit 1$$,
    $$select 'run_message_now', jsonb_build_object('message_id', id), true from later$$,
    'it is known who did that'
);
select is(pg_temp.take(), 'later', 'it is handed out again');
select is_empty('select * from symphony.check()', 'every invariant holds');
select * from finish();
