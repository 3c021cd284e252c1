-- rebase: what a dump brought that waits for its key still waits, and comes when its turn is.
select plan(12);

\ir ../limits/_keys.sql

select symphony.create_queue('q', ordered => true, key_rate => '1000/1 s', lease => '1 hour');
select pg_temp.put('a1 a2 b1 b2 a3 c1');
select is(pg_temp.take(1), 'a1', 'one is in hands');
select is(pg_temp.take(3), 'b1 b2 c1', 'the others of its key are passed');
select is(pg_temp.fail('b1', '1 hour'), 'retry, returned b2', 'one of another key is given back');
select is(pg_temp.state('a2 a3 b1 b2'), 'waiting waiting delayed waiting', 'three wait');

-- As a restore does: rows in new transactions, with the transaction ids of another server.  By chance the
-- transaction that writes a row that waits has the number that the row has.
update symphony.message set txid = txid + 1000000;
update symphony.claim set partial_txid = partial_txid + 1000000,
    ahead = (select range_agg(int8range(lower(part) + 1000000, upper(part) + 1000000))
             from unnest(ahead) as part);
update symphony.purge_position set txid = txid + 1000000;
update symphony.message set txid = pg_current_xact_id()::text::bigint where message_id = pg_temp.id('a3');
delete from symphony.server_mark;
insert into symphony.server_mark values (1), (2);
select pg_temp.put('a4 d1');

create temporary table rebased as select * from symphony.rebase();
select is((select enqueued_here from rebased), 2::bigint, 'what was enqueued since is known');
select is((select count(*) from symphony.check()), 0::bigint, 'nothing is broken');
select is(pg_temp.state('a2 a3 b1 b2'), 'waiting waiting delayed waiting', 'three wait as before');
select is(pg_temp.take(), 'd1', 'what is new goes by, if nothing of its key waits');
select is(pg_temp.done('a1 c1 d1'), 3::bigint, 'what was in hands is done');
select is(pg_temp.take(), 'a2 a3 a4', 'the others come in their order');
select symphony.cancel(pg_temp.id('b1'));
select is(pg_temp.take(), 'b2', 'and what was given back when its turn is');
select is(pg_temp.done('a2 a3 a4 b2'), 4::bigint, 'nothing is lost');
select * from finish();
