-- purge: claims that nobody has looked at since they were over stay, and nobody is told to call again.
-- Runs alone: a transaction in another database of the server holds up the purge.
select plan(7);

\ir _keys.sql

select symphony.create_queue('q', concurrency => 100, retention => '0', lease => '1 day');
select tap.set_clock('2030-01-01 10:00+00');
select pg_temp.put('a1 a2 b1 b2 c1 c2 d1');
select is(pg_temp.take(2), 'a1 a2', 'one has two in hands');
select is(pg_temp.take(2), 'b1 b2', 'and another one');
select is(pg_temp.take(2), 'c1 c2', 'and a third one');
select is(pg_temp.done('a1 a2 b1 b2 c1 c2'), 6::bigint, 'all of these are done');
select tap.advance_clock('1 s');
select symphony._fold(null, symphony._now());
create temporary table call (number serial, purged integer, has_more boolean);
create function pg_temp.purge_to_the_end() returns void language plpgsql as $$
begin
    for i in 1 .. 10 loop
        insert into call (purged, has_more) select * from symphony.purge(2);
        exit when not (select has_more from call order by number desc limit 1);
    end loop;
end $$;
select pg_temp.purge_to_the_end();
select is((select sum(purged) from call), 6::bigint, 'they are purged');
select cmp_ok((select count(*) from call), '<', 10::bigint, 'and that comes to an end');
select pg_temp.take() = 'd1', pg_temp.done('d1'), tap.advance_clock('1 s');
select symphony._fold(null, symphony._now());
select pg_temp.purge_to_the_end();
select is((select count(*) from symphony.claim where size > 0), 1::bigint,
          'the claims go when another one has looked');
select * from finish();
