-- retry_failed: a failed message keeps its id, has all its attempts again, and fails to the same place.
select plan(28);

select tap.set_clock('2030-01-01 12:00:00+00');

select symphony.create_queue('q', max_attempts => 2, retry_delay => '1 s', retry_jitter => 0,
                             max_body_bytes => 100);
select symphony.enqueue('A', '{"n": 1}', 'q', 8, group_key => 'g', headers => '{"h": 1}');
create temporary table given as
select message_id, message_type, body, headers, group_key, enqueued_at, priority, attempt, max_attempts
from symphony.claim_batch('{q}');
select symphony.nack_with_backoff(tap.newest_claim(), 1, 'x', retryable => false);

select results_eq(
    $$select * from symphony.retry_failed('{1}', dry_run => true)$$,
    $$values (1::bigint, 'retried', 1::bigint)$$,
    'a dry run says what would be done'
);
select is((select status from symphony.message_status(1)), 'failed', 'a dry run does nothing');
select results_eq(
    $$select * from symphony.retry_failed('{7,1,null,1}')$$,
    $$values (7::bigint, 'unknown', 0::bigint), (1, 'retried', 1)$$, 'a bad id does not hold up the others'
);
select results_eq(
    $$select * from symphony.retry_failed('{1}')$$,
    $$values (1::bigint, 'pending', 0::bigint)$$,
    'what is pending is not brought back again'
);
select is_empty($$select * from symphony.retry_failed('{}')$$, 'an empty list has an empty answer');
select results_eq(
    $$select * from symphony.remove_failed('{1}')$$,
    $$values (1::bigint, 'pending', 0::bigint)$$,
    'what is pending is not removed'
);
create temporary table again as
select message_id, message_type, body, headers, group_key, enqueued_at, priority, attempt, max_attempts
from symphony.claim_batch('{q}');
select is(
    (select again from again)::text,
    (select given from given)::text, 'it comes back as it was, in its first attempt'
);
select is(
    (select available_at from symphony.message_status(1)),
    '2030-01-01 12:00:00+00', 'it is due at the time of the replay'
);
select results_eq(
    $$select * from symphony.retry_failed('{1}')$$,
    $$values (1::bigint, 'processing', 0::bigint)$$,
    'a message that runs is left alone'
);
select is(
    (select outcome from symphony.nack_with_backoff(tap.newest_claim(), 1, 'y')),
    'retry', 'it has its attempts again'
);
select tap.advance_clock('1 s');
select symphony.tick();
select claim_id from symphony.claim_batch('{q}');
select is(
    (select outcome from symphony.nack_with_backoff(tap.newest_claim(), 1, 'z')),
    'failed', 'it fails again'
);
select results_eq(
    $$select message_id, replays, attempt, last_error from symphony.failed_messages()$$,
    $$values (1::bigint, 1, 2, 'z')$$,
    'it is among the failed ones again'
);
select is(
    (select array_agg(event || ' ' || replay || coalesce(' ' || attempt, ''))
     from symphony.message_history(1)),
    '{"failed 0 1","replayed 1","retry 1 1","failed 1 2"}', 'its history tells all of it'
);

-- With another body.
select throws_ok(
    $$select * from symphony.retry_failed('{1}', body => to_jsonb(repeat('x', 200)))$$,
    'SY004', null, 'a new body may not be too large'
);
select throws_ok(
    $$select * from symphony.retry_failed('{1}', body => 'null')$$,
    '22023', null, 'a new body may not be null'
);
select is(
    (select status from symphony.message_status(1)),
    'failed', 'a message whose new body was refused stays as it was'
);
select results_eq(
    $$select outcome from symphony.retry_failed('{1}', body => '{"n": 2}')$$,
    $$values ('retried')$$,
    'a body can be corrected'
);
select is((select body from symphony.claim_batch('{q}')), '{"n": 2}', 'the handler gets the new one');
select results_eq(
    $$select replay, ended_at, replayed_by, old_body
      from symphony.message_history(1) where event = 'replayed'$$,
    $$values (1, '2030-01-01 12:00:00+00'::timestamptz, session_user::text collate "default", null::jsonb),
             (2, '2030-01-01 12:00:01+00', session_user, '{"n": 1}')$$,
    'the history keeps the old one, and who did it'
);
select symphony.ack(tap.newest_claim());

-- At a rate.  Time goes on first: what is due at the very moment of a tick may come a tick later.
select tap.advance_clock('1 s');
select symphony.enqueue('R', queue_name => 'q') from generate_series(1, 5);
select symphony.nack_with_backoff(claim_id, message_id, 'x', retryable => false)
from symphony.claim_batch('{q}');
select results_eq(
    $$select * from symphony.retry_failed(message_type => 'R', per_second => 2)$$,
    $$values (null::bigint, 'retried', 5::bigint)$$,
    'a replay can be spread'
);
select results_eq(
    $$select message_id, available_at - symphony._now(), attempt from symphony.delayed_message order by 1$$,
    $$select i::bigint, (i - 2) * interval '0.5 s', 0::smallint from generate_series(2, 6) as i$$,
    'two messages a second are due'
);
select tap.advance_clock('1 s');
select is(symphony.tick() ->> 'promoted', '3', 'they become pending as their time comes');
select is((select count(*) from symphony.claim_batch('{q}')), 3::bigint, 'they are handed out');

-- What took its worker down goes on alone, whatever its lane was when it failed.
select symphony.create_queue('crash', max_attempts => 1);
select symphony.enqueue('C', queue_name => 'crash', priority => 7) from generate_series(1, 2);
select count(*) from symphony.claim_batch('{crash}', lease => '1 s');
select tap.advance_clock('2 s');
select symphony.tick();
select is(
    (select array_agg(reason) from symphony.failed_messages('crash')),
    '{"lease ended","lease ended"}', 'two were in the hands of a worker that vanished'
);
select symphony.retry_failed(queue_name => 'crash');
select is(
    (select count(*) from symphony.claim_batch('{crash}')),
    1::bigint, 'they are handed out one by one'
);
select results_eq(
    $$select outcome
      from symphony.claim, symphony.nack_with_backoff(claim_id, open_ids[1], 'x')
      where claim_id = tap.newest_claim()$$,
    $$values ('failed')$$,
    'a message of the two fails by itself'
);
select outcome from symphony.retry_failed('{7}');
select outcome from symphony.retry_failed('{8}');
select results_eq(
    $$select l.alone, l.priority
      from symphony.message as m join symphony.lane as l using (lane_id) where message_type = 'C'
      order by m.message_id$$,
    $$values (false, 7::smallint), (true, 7::smallint)$$,
    'it goes on beside others after the next replay'
);
select is((select count(*) from symphony.check()), 0::bigint, 'all invariants hold');
select * from finish();
