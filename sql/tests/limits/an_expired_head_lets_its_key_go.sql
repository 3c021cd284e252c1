-- In queues with limits what has expired is not handed out, and its key goes on as the queue says.
select plan(28);

\ir _keys.sql
-- late enqueues messages that expire in a second; expired tells which have failed for it.
create function pg_temp.late(names text, on_expiry text default 'fail') returns void language sql as $$
    select symphony.enqueue('T', to_jsonb(name), 'q', group_key => left(name, 1), expires_in => '1 s',
                            on_expiry => late.on_expiry)
    from unnest(string_to_array(names, ' ')) with ordinality as given (name, number) order by number
$$;
create function pg_temp.expired() returns text language sql as $$
    select coalesce(string_agg(body #>> '{}', ' ' order by failed_at, message_id), 'none')
    from symphony.failed_message where reason = 'expired'
$$;

select symphony.create_queue('q', ordered => true, lease => '30 s');
select tap.set_clock('2030-01-01 10:00+00');

-- continue: the next one is its turn.
select pg_temp.late('a1 b1'), pg_temp.put('a2 b2');
select tap.advance_clock('1 s');
select is(pg_temp.take(), 'a2 b2', 'what follows late messages of its key is handed out in their place');
select is(pg_temp.expired(), 'a1 b1', 'they have failed');
select is_empty('select * from symphony.held_key', 'and hold nothing');

-- Parked: it is late when its turn comes.
select pg_temp.late('a3'), pg_temp.put('a4');
select is(pg_temp.take(), 'none', 'their key is busy');
select tap.advance_clock('1 s');
select is(pg_temp.state('a3 a4'), 'waiting waiting', 'both wait for it, though one is late');
select matches(symphony.why_not_running(pg_temp.id('a3')), 'in the hands of w.*\. It expired at .*',
               'it is told what it waits for, and that it is late');
select pg_temp.done('a2');
select is(pg_temp.take(), 'a4', 'when the key is let go, the late one is left out');
select is(pg_temp.expired(), 'a1 b1 a3', 'and has failed');
select pg_temp.done('a4 b2');

-- A head that is retried holds its key, and expires between its attempts.
select pg_temp.late('c1'), pg_temp.put('c2 c3');
select is(pg_temp.take(1), 'c1', 'a head is handed out in time');
select is(pg_temp.fail('c1', '10 s'), 'retry, returned none', 'it is to be retried');
select is(pg_temp.take(), 'none', 'and holds its key');
select tap.advance_clock('1 s');
select symphony.tick();
select is(pg_temp.take(), 'c2 c3', 'when it has expired, the key goes on');
select pg_temp.done('c2 c3');
select is((select count(*) from symphony.held_key), 0::bigint, 'nothing is held');

-- hold: the key waits until a person has decided.
select symphony.configure_queue('q', on_failure => 'hold');
select pg_temp.late('d1'), pg_temp.put('d2'), pg_temp.late('d3'), pg_temp.put('e1');
select tap.advance_clock('1 s');
select is(pg_temp.take(), 'e1', 'a late head that failed holds its key');
select is(pg_temp.state('d1 d2 d3'), 'failed waiting waiting', 'what follows it waits, also what is late');
select symphony.retry_failed(array[pg_temp.id('d1')]);
select is(pg_temp.take(), 'd1', 'brought back it goes first, however late');
select pg_temp.done('d1');
select is(pg_temp.take(), 'd2', 'and the others follow');
select is(pg_temp.state('d3'), 'waiting', 'but for the one that is late, whose turn has not come');
select pg_temp.put('d4');
select is(pg_temp.fail('d2', '0'), 'retry, returned none', 'were it to hold the key, a retry of the one');
select is(pg_temp.take(), 'd2', 'before it would come behind it');
select pg_temp.done('d2');
select is(pg_temp.take(), 'none', 'once that is done it is its turn');
select is(pg_temp.state('d3 d4'), 'failed waiting', 'and it holds the key');
select symphony.remove_failed(array[pg_temp.id('d3')]);
select is(pg_temp.take(), 'd4', 'until a person has decided');
select pg_temp.done('d4 e1');

-- What is dropped holds nothing, whatever the queue says.
select pg_temp.late('f1', 'drop'), pg_temp.put('f2');
select tap.advance_clock('1 s');
select is(pg_temp.take(), 'f2', 'what is dropped holds no key');
select pg_temp.done('f2');
select is_empty('select * from symphony.check()', 'every invariant holds');

-- Limits: what is late takes nobody's place.
select symphony.configure_queue('q', ordered => false, key_concurrency => 0, concurrency => 2);
select count(pg_temp.late('g' || n)) from generate_series(1, 24) as n;
select pg_temp.put('h1 h2 h3');
select tap.advance_clock('1 s');
select is(pg_temp.take(), 'h1 h2', 'late messages are not counted as in hands');
select symphony.configure_queue('q', key_concurrency => 1, concurrency => 0);
select pg_temp.late('i1'), pg_temp.put('i2');
select tap.advance_clock('1 s');

select is(pg_temp.take(), 'i2', 'the next one of a key follows the late one');
select is_empty('select * from symphony.check()', 'every invariant still holds');
select * from finish();
