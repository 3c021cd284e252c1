-- key_rate: the messages of each key are handed out at its rate; one key waits, others do not.
select plan(44);

\ir _keys.sql

create function pg_temp.next_in() returns interval language sql as $$
    select (symphony.tick() ->> 'next_due_at')::timestamptz - symphony._now()
$$;
create function pg_temp.paces() returns text language sql as $$
    select coalesce(string_agg(concat_ws(' ', group_key, next_at - symphony._now()), ', ' order by group_key),
                    'none') from symphony.key_pace
$$;

select tap.set_clock('2026-01-01 12:00:00+00');
select symphony.create_queue('q', key_rate => '2/1 s', lease => '1 hour');
select pg_temp.put('a1 a2 a3 b1 a4 a5');
select is(pg_temp.take(), 'a1 a2 b1', 'as many of a key as its rate allows, and the others');
select is(pg_temp.state('a3 a4 a5'), 'waiting waiting waiting', 'what has to wait is passed');
select is(pg_temp.paces(), 'a 00:00:00.5, b', 'the key that waits has a time, and no other one');
select is(pg_temp.next_in(), interval '0.5 s', 'tick() tells it');
select pg_temp.put('a6 c1');
select is(pg_temp.take(), 'c1', 'what comes meanwhile waits behind the others');
select is(pg_temp.take(), 'none', 'and nothing else is there');
select symphony.heartbeat('w', '{q}', '{}');
select is(pg_temp.done('a1 a2 b1 c1'), 4::bigint, 'these are done');
select is(symphony.why_not_running(pg_temp.id('a3')),
          'The rate of its key a, 2/1 s, allows the next one in 0.5 s.',
          'it is told what a message waits for');
select is((select (group_key, waiting, available_at - symphony._now())::text
           from symphony.blocked_keys('q')),
          '(a,4,00:00:00.5)', 'and what a key waits for');
select tap.advance_clock('0.499999 s');
select is(pg_temp.take(), 'none', 'a moment before it is not handed out');
select tap.advance_clock('0.000001 s');
select is(pg_temp.take(), 'a3', 'then the first one is');
select is(pg_temp.take(), 'none', 'and no more');
select tap.advance_clock('2 s');
select is(pg_temp.take(1), 'a4', 'a claim takes no more than it asks for');
select is(pg_temp.next_in(), null, 'what may go now has no time to wait for');
select is(pg_temp.take(), 'a5', 'the next claim takes it');
select is(pg_temp.take(), 'none', 'together no more than the rate names');
select tap.advance_clock('0.5 s');
select is(pg_temp.take(), 'a6', 'until nothing waits');
select is(pg_temp.next_in(), null, 'then there is no time any more');
select is(pg_temp.paces(), 'a, b, c', 'but the keys are kept');
select tap.advance_clock('1 minute');
select is((select count(*) from symphony.purge()), 1::bigint, 'a purge');
select is(pg_temp.paces(), 'none', 'forgets those that may have all again');

-- A thousand keys that wait do not keep each other back, and none is looked at before its time.
select symphony.enqueue('T', to_jsonb('k' || k || '.' || n), 'q', group_key => 'k' || k)
from generate_series(1, 3) as n, generate_series(1, 300) as k;
select is((select count(*) from symphony.claim_batch('{q}', 1000, 'w')), 600::bigint, 'two of each key');
select tap.advance_clock('0.5 s');
select is((select count(*) from symphony.claim_batch('{q}', 100, 'w')), 100::bigint,
          'as many as are asked for');
select is((select count(*) from symphony.claim_batch('{q}', 150, 'w')), 150::bigint, 'then others');
select is((select count(*) from symphony.claim_batch('{q}', 100, 'w')), 50::bigint, 'and the rest');
select is((select count(distinct m.group_key) from symphony.claim as c, unnest(c.open_ids) as id
           join symphony.message as m on m.message_id = id where c.size in (100, 150, 50)), 300::bigint,
          'each key once');
select symphony.ack(claim_id) from symphony.claim where open_ids <> '{}';

-- It goes together with the other limits.
select tap.advance_clock('1 minute');
select symphony.configure_queue('q', key_concurrency => 1);
select pg_temp.put('d1 d2 d3');
select is(pg_temp.take(), 'd1', 'one in hands at a time');
select is(pg_temp.next_in(), null, 'the hand is what the others wait for');
select is(pg_temp.done('d1'), 1::bigint, 'it is done');
select is(pg_temp.take(), 'd2', 'the next one follows');
select is(pg_temp.done('d2'), 1::bigint, 'it is done as well');
select is(pg_temp.take(), 'none', 'but the rate allows no third one');
select is(pg_temp.next_in(), interval '0.5 s', 'until then');
select tap.advance_clock('0.5 s');
select is(pg_temp.take(), 'd3', 'and not later');
select pg_temp.done('d3');

-- An ordered key keeps its order.
select tap.advance_clock('1 minute');
select symphony.configure_queue('q', ordered => true);
select pg_temp.put('e1 e2 e3 e4');
select is(pg_temp.take(), 'e1 e2', 'in one hand as many as the rate allows');
select is(pg_temp.fail('e1', '0 s'), 'retry, returned e2', 'the first one does not succeed');
select is(pg_temp.take(), 'none', 'its next attempt needs a token, too');
select tap.advance_clock('0.5 s');
select is(pg_temp.take(), 'e1', 'it comes first');
select pg_temp.done('e1');
select tap.advance_clock('1 s');
select is(pg_temp.take(), 'e2 e3', 'and then the others');
select pg_temp.done('e2 e3');

-- A changed rate counts for what waits.
select symphony.configure_queue('q', ordered => false, key_concurrency => 0, key_rate => '1/1 hour');
select is(pg_temp.take(), 'none', 'the key waits for an hour at most');
select symphony.configure_queue('q', key_rate => '1000/1 s');
select tap.advance_clock('0.1 s');
select is(pg_temp.take(), 'e4', 'or not at all');
select pg_temp.put('f1 f2');
select is(pg_temp.take(), 'f1 f2', 'with a burst of a thousand');
select pg_temp.done('e4 f1 f2');
select symphony.configure_queue('q', key_rate => '0');
select is(pg_temp.paces(), 'none', 'without a rate nothing is kept');
select is((select count(*) from symphony.gate where queue_name = 'q'), 0::bigint, 'and there is no gate');
select * from finish();
