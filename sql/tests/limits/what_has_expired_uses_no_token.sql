-- What has expired when its turn comes uses no token: neither of its queue nor of its key.
select plan(31);

\ir _keys.sql
create function pg_temp.late(names text, on_expiry text default 'fail') returns void language sql as $$
    select symphony.enqueue('T', to_jsonb(name), 'q', group_key => left(name, 1), expires_in => '1 s',
                            on_expiry => late.on_expiry)
    from unnest(string_to_array(names, ' ')) with ordinality as given (name, number) order by number
$$;
-- told claims and says which messages came, whether there are more, and when.
create function pg_temp.told(at_most integer default 10) returns text language sql as $$
    select coalesce(string_agg(body #>> '{}', ' ') || ', ' || concat_ws(
               ' ', case when bool_or(has_more) then 'more' else 'no more' end,
               max(next_at) - symphony._now()), 'none')
    from symphony.claim_batch('{q}', at_most, 'w')
$$;
create function pg_temp.next_in() returns interval language sql as $$
    select (symphony.tick() ->> 'next_due_at')::timestamptz - symphony._now()
$$;
-- pass_by lets the late messages expire, and the buckets fill.
create function pg_temp.pass_by() returns void language sql as $$
    select tap.advance_clock('1 hour')
$$;

select tap.set_clock('2026-01-01 12:00:00+00');
select symphony.create_queue('q', rate => '3/3 s', lease => '1 day');

-- The rate of a queue.
select pg_temp.late('a1 a2'), pg_temp.put('b1 b2 b3 b4');
select pg_temp.pass_by();
select is(pg_temp.told(), 'b1, more', 'a claim takes what the rate allows, and hands out what is in time');
select is(pg_temp.told(), 'b2 b3, no more 00:00:01', 'what has expired has used no token');
select is(pg_temp.told(), 'none', 'the others have');
select is(pg_temp.next_in(), interval '1 s', 'the next one is told');
select tap.advance_clock('1 s');
select is(pg_temp.told(), 'b4, no more 00:00:01', 'and comes then');

-- All of a claim are late, more often than the rate allows.
select pg_temp.late('c1 c2 c3 c4 c5 c6 c7'), pg_temp.late('d1 d2 d3', 'drop'), pg_temp.put('e1 e2 e3 e4');
select pg_temp.pass_by();
select is(pg_temp.take() || ' ' || pg_temp.take(), 'e1 e2 e3', 'however many have expired');
select is(pg_temp.take(), 'none', 'no more is handed out than the rate allows');
select is((select full_at - symphony._now() from symphony.gate where queue_name = 'q'), interval '3 s',
          'the bucket is empty');
select pg_temp.late('f1');
select tap.advance_clock('1 s');
select is(pg_temp.take(), 'e4', 'the next one takes its token');
select tap.advance_clock('1 s');
select is(pg_temp.take(), 'none', 'one that is late');
select is((select full_at - symphony._now() from symphony.gate where queue_name = 'q'), interval '2 s',
          'leaves it as it was');

-- Together with a limit of concurrency.
select symphony.ack(claim_id) from symphony.claim where open_ids <> '{}';
select symphony.configure_queue('q', concurrency => 2);
select pg_temp.late('g1 g2 g3'), pg_temp.put('h1 h2 h3 h4');
select pg_temp.pass_by();
select is(pg_temp.take() || ' ' || pg_temp.take(), 'h1 h2', 'two are in hands');
select pg_temp.done('h1 h2');
select is(pg_temp.take(), 'h3', 'and a third one is allowed');
select is(pg_temp.take(), 'none', 'but no fourth one');
select tap.advance_clock('1 s');
select is(pg_temp.take(), 'h4', 'until its token comes');
select pg_temp.done('h3 h4');

-- In an ordered queue: what is given back behind a late head has used none either.
select symphony.configure_queue('q', ordered => true, concurrency => 0, on_failure => 'hold');
select pg_temp.late('i1'), pg_temp.put('i2 i3 j1 j2 j3 j4');
select pg_temp.pass_by();
select is(pg_temp.take(), 'j1 j2 j3', 'the late head holds its key, and others take the tokens');
select is(pg_temp.take(), 'none', 'all three');
select pg_temp.done('j1 j2 j3');
select symphony.retry_failed(array[pg_temp.id('i1')]);
select pg_temp.pass_by();
select is(pg_temp.take(), 'j4 i1', 'brought back it goes first of its key');
select pg_temp.done('j4 i1');
select is(pg_temp.take(), 'i2', 'and then the others');
select tap.advance_clock('1 s');
select pg_temp.done('i2');
select is(pg_temp.take(), 'i3', 'in time');
select pg_temp.done('i3');

-- The rate of a key.
select symphony.configure_queue('q', ordered => false, rate => '0', key_rate => '2/2 s');
select pg_temp.late('k1'), pg_temp.put('k2 k3 k4 l1');
select pg_temp.pass_by();
select is(pg_temp.told(), 'k2 l1, more', 'a late message of a key is passed');
select is(pg_temp.told(), 'k3, no more 00:00:01', 'and has used no token of it');
select is(pg_temp.take(), 'none', 'the others have');
select tap.advance_clock('1 s');
select is(pg_temp.take(), 'k4', 'the last one comes in time');
select pg_temp.late('m1 m2 m3 m4 m5'), pg_temp.put('m6 m7 m8');
select pg_temp.pass_by();
select is(pg_temp.take() || ' ' || pg_temp.take(), 'm6 m7', 'parked messages that are late use none');
select is(pg_temp.next_in(), interval '1 s', 'the next one is told');
select symphony.ack(claim_id) from symphony.claim where open_ids <> '{}';
select tap.advance_clock('1 s');
select is(pg_temp.take(), 'm8', 'and comes then');

-- The rate of a key that is ordered, and in one hand.
select pg_temp.done('m8');
select symphony.configure_queue('q', ordered => true, on_failure => 'continue', key_concurrency => 1);
select pg_temp.late('n1 n2'), pg_temp.put('n3 o1');
select pg_temp.pass_by();
select is(pg_temp.told(), 'o1, more', 'late messages take the hand of their key, but not its tokens');
select is(pg_temp.take(), 'n3', 'the next one follows at once');
select is_empty('select * from symphony.check()', 'every invariant holds');
select pg_temp.done('n3 o1');
select is(pg_temp.take(), 'none', 'nothing is left');
select * from finish();
