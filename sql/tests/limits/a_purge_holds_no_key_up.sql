-- purge: a claim that goes lets its keys go, though no other has looked at them since it was over.
-- Runs alone: a transaction in another database of the server holds up the purge.
select plan(9);

\ir _keys.sql

select symphony.create_queue('q', ordered => true, retention => '0', lease => '1 day');
select tap.set_clock('2030-01-01 10:00+00');
select pg_temp.put('a1 a2 b1 c1');
select is(pg_temp.take(1), 'a1', 'a key is in hands');
select is(pg_temp.take(2), 'b1 c1', 'what follows is passed');
select is(pg_temp.done('a1 b1 c1'), 3::bigint, 'all of that is done');
select tap.advance_clock('1 s');
select is(
    (select purged from symphony.purge()) + (select purged from symphony.purge()), 1,
    'and purged, as far as nothing waits before it'
);
select is_empty('select * from symphony.check()', 'what waits is not forgotten');
select is(pg_temp.take(), 'a2', 'and its turn comes');
select is(pg_temp.done('a2'), 1::bigint, 'it is done');
select is_empty('table symphony.freed_key', 'nothing is kept of that');
select is_empty('select * from symphony.check()', 'every invariant holds');
select * from finish();
