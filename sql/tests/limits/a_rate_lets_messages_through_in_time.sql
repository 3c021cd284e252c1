-- rate and burst: so many messages are handed out in a time, whoever asks, and none is handed out early.
select plan(46);

\ir _keys.sql

create function pg_temp.count_taken(at_most integer default 100, queue text default 'q') returns bigint
language sql as $$ select count(*) from symphony.claim_batch(array[queue], at_most, 'w') $$;
create function pg_temp.next_in(queue text default 'q') returns interval language sql as $$
    select min((symphony.tick() ->> 'next_due_at')::timestamptz) - symphony._now()
$$;

select tap.set_clock('2026-01-01 12:00:00+00');
select symphony.create_queue('q', rate => '10/1 s', burst => 5, lease => '1 hour');
select symphony.enqueue('T', queue_name => 'q') from generate_series(1, 100);
select is(pg_temp.next_in(), null, 'at first a worker need not wait');
select is(pg_temp.count_taken(), 5::bigint, 'a claim takes what the rate allows now: the burst');
select is(pg_temp.count_taken(), 0::bigint, 'and the next one nothing');
select is(pg_temp.next_in(), interval '0.1 s', 'tick() tells when the next one is allowed');
select tap.advance_clock('0.099999 s');
select is(pg_temp.count_taken(), 0::bigint, 'a moment before nothing is handed out');
select tap.advance_clock('0.000001 s');
select is(pg_temp.count_taken(), 1::bigint, 'then one is');
select tap.advance_clock('0.25 s');
select is(pg_temp.count_taken(), 2::bigint, 'what has come meanwhile is handed out together');
select is(pg_temp.next_in(), interval '0.05 s', 'and a half is not lost');
select tap.pass_time('1 minute');
select is(pg_temp.count_taken(3), 3::bigint, 'after a long time a claim takes no more than it asks for');
select is(pg_temp.count_taken(), 2::bigint, 'and all together no more than the burst');
select tap.advance_clock('0.3 s');
select is((select count(*) from symphony.claim_batch('{q}', 10, 'w', slots => 1)), 1::bigint,
          'what a worker cannot start now is left for others');
select is((select count(*) from symphony.claim_batch('{q}', 10, 'w', slots => 0)), 1::bigint,
          'but it gets one at least');
select tap.advance_clock('0.2 s');
select is((select array_agg(distinct (has_more, next_at - symphony._now())::text)
           from symphony.claim_batch('{q}', 10, 'w')), '{"(f,00:00:00.1)"}',
          'a claim that the rate ends says so, and when it allows more');
select tap.advance_clock('0.3 s');
select is((select array_agg(distinct (has_more, next_at)::text)
           from symphony.claim_batch('{q}', 2, 'w')), '{"(t,)"}',
          'one that took as many as it wanted says that there are more');
select symphony.heartbeat('w', '{q}', '{}');
select is(pg_temp.count_taken(), 1::bigint, 'the last one for now');
select tap.advance_clock('0.06 s');
select is(symphony.why_not_running((select max(message_id) from symphony.message)),
          'The rate of queue "q", 10/1 s, allows the next one in 0.04 s.',
          'it is told what a message waits for');

-- A claim that is undone gives its tokens back; one that crashes does not.
select tap.pass_time('10 s');
select is(tap.elsewhere('other', 'begin'), 'BEGIN', 'another worker claims');
select is(tap.elsewhere('other', $$select count(*) from symphony.claim_batch('{q}', 100, 'w')$$), '5',
          'all that is allowed');
select is(tap.elsewhere('other', 'rollback'), 'ROLLBACK', 'and undoes it');
select is(pg_temp.count_taken(), 5::bigint, 'as if it had not been');
select symphony.release(claim_id) from symphony.claim where open_ids <> '{}';
select is(pg_temp.count_taken(), 0::bigint, 'what is given back has used its tokens');
select is(pg_temp.next_in(), interval '0.1 s', 'and waits for the next');

-- A claim of a queue with a rate is on disk before anybody works on it.
select tap.advance_clock('1 s');
select is((select current_setting('synchronous_commit')
           from symphony.claim_batch('{q}', 1, 'w', asynchronous => true)), 'on',
          'a crash of the server cannot forget it');

-- Other settings meet it.
select symphony.configure_queue('q', burst => 0);
select tap.pass_time('10 s');
select is(pg_temp.count_taken(), 10::bigint, 'without a burst it is what the rate names');
select symphony.configure_queue('q', rate => '1/minute');
select is(pg_temp.count_taken(), 0::bigint, 'a slower rate counts from now on');
select is(pg_temp.next_in(), interval '1 s', 'and the bucket is as it was');
select symphony.configure_queue('q', rate => '100/1 s', burst => 1);
select tap.advance_clock('0.01 s');
select is(pg_temp.count_taken(), 1::bigint, 'so does a faster one');
select symphony.configure_queue('q', rate => '100/1 s', concurrency => 100000);
select is(pg_temp.count_taken(), 0::bigint, 'another limit takes nothing of it away');
select symphony.configure_queue('q', rate => '0');
select is(pg_temp.count_taken(), (select 100 - sum(size) from symphony.claim), 'no rate, no limit')
from (select symphony.release(claim_id) from symphony.claim where open_ids <> '{}' and false) as none;
select is((select (rate, burst)::text from symphony.queue where queue_name = 'q'), '(,)',
          'the burst went with it');

-- The bucket is one for all lanes.
select symphony.create_queue('r', rate => '4/1 s');
select symphony.enqueue('T', queue_name => 'r', priority => n) from generate_series(1, 9) as n;
select is(pg_temp.count_taken(2, 'r') + pg_temp.count_taken(2, 'r') + pg_temp.count_taken(2, 'r')
          + pg_temp.count_taken(2, 'r') + pg_temp.count_taken(2, 'r'), 4::bigint, 'all priorities share it');
select tap.advance_clock('1 s');
select is((select bool_or(has_more) from symphony.claim_batch('{r}', 1, 'w', slots => 1)), true,
          'as long as it allows more there is more');
select is(pg_temp.count_taken(1, 'r'), 1::bigint, 'of another priority');
select is((select array_agg(has_more) from symphony.claim_batch('{r}', 2, 'w')), '{t}',
          'another priority is more as long as there is a token for it');
select is((select array_agg(has_more) from symphony.claim_batch('{r}', 2, 'w')), '{f}',
          'and then it is not');

-- What seems to be emptier than empty is empty.
select tap.advance_clock('-1 hour');
select symphony.tick();
select is(pg_temp.count_taken(1, 'r'), 0::bigint, 'the clock was set back by an hour');
select tap.advance_clock('0.4 s');
select is(pg_temp.count_taken(1, 'r'), 1::bigint, 'and the rate counts from then on');

-- Where messages come fast it is worth a claim when there are some.
select symphony.create_queue('s', rate => '1000/1 s');
select symphony.enqueue('T', queue_name => 's') from generate_series(1, 1001);
select is(pg_temp.count_taken(1000, 's'), 1000::bigint, 'a thousand');
select is(symphony._paced_until(queue, symphony._now()) - symphony._now(), '0.02 s',
          'the next twenty come together') from symphony.queue where queue_name = 's';
select tap.advance_clock('0.001 s');
select is(pg_temp.count_taken(1000, 's'), 1::bigint, 'whoever asks before gets what there is');

-- Nothing is asked of a tick where nothing waits.
select symphony.create_queue('t', rate => '1/1 hour', lease => '1 day');
select symphony.enqueue('T', queue_name => 't');
select symphony.purge_queue(queue_name) from symphony.queue where queue_name in ('q', 'r', 's');
select is(pg_temp.count_taken(1, 't'), 1::bigint, 'the only one');
select is(pg_temp.next_in(), null, 'nobody waits for the next');
select symphony.enqueue('T', queue_name => 't');
select is(pg_temp.next_in(), interval '1 hour', 'but when there is one');

-- What a tick wakes.
select symphony.idle('sleeper', '{t}');
select tap.pass_time('59 minutes 59.9 s');
listen "symphony:t";
select symphony._wake_paced(symphony._now() - interval '1 s', symphony._now());
select is((select count(*) from symphony.queue as q where q.queue_name = 't'
           and symphony._paced_until(q, symphony._now() - interval '1 s') <= symphony._now()), 0::bigint,
          'a worker that sleeps is not woken before');
select tap.advance_clock('0.2 s');
select is((select count(*) from symphony.queue as q where q.queue_name = 't'
           and symphony._paced_until(q, symphony._now() - interval '1 s') <= symphony._now()), 1::bigint,
          'it is when the moment has come');
select is(pg_temp.count_taken(1, 't'), 1::bigint, 'and finds it');
select is((select status from symphony.message_status((select max(message_id) from symphony.message))),
          'processing', 'which is the last one');
select * from finish();
