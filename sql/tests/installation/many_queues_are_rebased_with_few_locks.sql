-- rebase, idle, busy: however many queues there are, they take few locks, and keep others out as before.
-- A server has room for 64 locks a connection, and whoever fills it stops all.
select plan(9);

create function pg_temp.locks() returns bigint language sql as $$
    select count(*) from pg_locks where pid = pg_backend_pid() and locktype = 'advisory'
$$;
create function pg_temp.copy_here() returns void language sql as $$
    delete from symphony.server_mark;
    insert into symphony.server_mark values (1), (2);
$$;

select symphony.create_queue('q' || i) from generate_series(1, 200) as i;
select symphony.enqueue('A', queue_name => 'q1') from generate_series(1, 2);
select pg_temp.copy_here();

begin;
select ok(needed, 'queues that were copied here have to be rebased') from symphony.rebase();
select cmp_ok(pg_temp.locks(), '<=', 3::bigint, 'rebase() takes no lock for each lane');
set lock_timeout = '100 ms';
select tap.elsewhere('producer', $$set lock_timeout = '100 ms'$$);
select throws_ok(
    $$select tap.elsewhere('producer', 'select symphony.cancel(1)')$$,
    '55P03', null, 'nobody moves a position while rebase() is at it'
);
commit;
select is(
    tap.elsewhere('producer', 'select symphony.cancel(1)'), 't', 'the message can be cancelled after that'
);

select tap.elsewhere('worker', 'begin');
select is(
    tap.elsewhere('worker', $$select message_id from symphony.claim_batch('{q1}')$$), '2',
    'a worker has claimed, and has not committed yet'
);
select pg_temp.copy_here();
select throws_ok('select symphony.rebase()', '55P03', null, 'rebase() waits for whoever has a lane');
select tap.elsewhere('worker', 'rollback');
select ok(needed, 'it goes on when that lane is free') from symphony.rebase();

begin;
select symphony.idle('w', array(select symphony.list_queues()));
select cmp_ok(pg_temp.locks(), '<=', 32::bigint, 'a worker of all queues falls asleep with few locks');
commit;
begin;
select symphony.busy('w');
select cmp_ok(pg_temp.locks(), '<=', 32::bigint, 'it wakes up with few locks, too');
commit;
select * from finish();
