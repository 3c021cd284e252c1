-- purge: what waited for its key and is in hands stays, however long ago it was passed.
-- Runs alone: a transaction in another database of the server holds up the purge.
select plan(18);

\ir _keys.sql

select symphony.create_queue('q', ordered => true, retention => '1 minute', lease => '1 day');
select tap.set_clock('2030-01-01 10:00+00');
select pg_temp.put('a1 a2 a3 b1 b2');
select is(pg_temp.take(1), 'a1', 'a key is in hands');
select is(pg_temp.take(), 'b1 b2', 'what follows is passed');
select is(pg_temp.done('a1 b1 b2'), 3::bigint, 'all of that is done');
select is(pg_temp.take(1), 'a2', 'one that was passed is in hands');
select tap.advance_clock('10 minutes');
select is((select purged from symphony.purge()), 1, 'what is done before it is purged');
select is(pg_temp.state('a2 a3'), 'processing waiting', 'what is in hands is not, nor what waits');
select is(pg_temp.fail('a2'), 'retry, returned none', 'it can be retried');
select is(pg_temp.take() || ', ' || pg_temp.done('a2'), 'a2, 1', 'and done');

-- In the hands of one that had given it back before.
select is(pg_temp.take(), 'a3', 'the next one follows');
select symphony.release(claim_id) from pg_temp.open('a3');
select is(pg_temp.take(), 'a3', 'is given back, and handed out again');
select tap.advance_clock('10 minutes');
select symphony.purge();
select is(pg_temp.state('a3'), 'processing', 'it is not purged either');

-- Without limits.
select symphony.configure_queue('q', ordered => false);
select is(pg_temp.state('a3'), 'processing', 'what is in hands when the limits go is known to be');
select symphony.purge();
select is(pg_temp.state('a3'), 'processing', 'and stays');
select is((select count(*) from symphony.gate), 1::bigint, 'the gate tells of it');
select is(pg_temp.done('a3'), 1::bigint, 'until it is done');
select tap.advance_clock('10 minutes');
select isnt((select purged from symphony.purge()), 0, 'then it is purged');
select is_empty('table symphony.gate', 'and the gate with it');
select is_empty('select * from symphony.check()', 'every invariant holds');
select * from finish();
