-- extend_lease: the answer names the claims that are still held, and tick() leaves those alone.
select plan(14);

select tap.set_clock('2030-01-01 12:00:00+00');
create function pg_temp.left(of bigint) returns interval language sql as
    'select lease_until - symphony._now() from symphony.claim where claim_id = of';

select symphony.create_queue('q', lease => '10 s');
select symphony.enqueue('A', queue_name => 'q') from generate_series(1, 3);
create temporary table c as select row_number() over () as n, q.* from (
    select * from symphony.claim_batch('{q}', 1, lease => '5 s')) as q;
insert into c select 2, * from symphony.claim_batch('{q}', 1, lease => '5 s');
insert into c select 3, * from symphony.claim_batch('{q}', 1, lease => '5 s');
create function pg_temp.c(n integer) returns bigint language sql as 'select claim_id from c where c.n = $1';

select symphony.ack(pg_temp.c(3));
select tap.advance_clock('4 s');
select results_eq(
    $$select symphony.extend_lease(array[pg_temp.c(1), pg_temp.c(3), 0, null])$$,
    $$select pg_temp.c(1)$$,
    'a settled claim, an unknown one and null are left out'
);
select is(pg_temp.left(pg_temp.c(1)), '10 s'::interval, 'the lease is that of the queue, counted from now');
select results_eq(
    $$select symphony.extend_lease(array[pg_temp.c(1)], '2 s')$$,
    $$select pg_temp.c(1)$$,
    'the lease may also be given'
);
select is(pg_temp.left(pg_temp.c(1)), '2 s'::interval, 'it may be shorter than before');
select tap.advance_clock('1 s');
select is_empty(
    $$select symphony.extend_lease(array[pg_temp.c(2)])$$,
    'a lease cannot be renewed the very moment it ends'
);
select throws_ok($$select symphony.ack(pg_temp.c(2))$$, 'SY010', null, 'it cannot be used either');
select is((symphony.tick() ->> 'recovered')::integer, 1, 'tick() takes back its message');
select results_eq(
    $$select symphony.extend_lease(array[pg_temp.c(1), pg_temp.c(2)])$$,
    $$select pg_temp.c(1)$$,
    'the other lease is still held'
);
select tap.advance_clock('9 s');
select is((symphony.tick() ->> 'recovered')::integer, 0, 'tick() knows that it was renewed');
select is(symphony.ack(pg_temp.c(1)), 1, 'its worker may settle');
select is_empty($$select symphony.extend_lease(null)$$, 'null renews no claim');
select is_empty($$select symphony.extend_lease('{}')$$, 'an empty list renews no claim');
select throws_ok(
    $$select symphony.extend_lease('{1}', '99 ms')$$,
    '22023', null, 'a lease has at least 100 ms'
);
select throws_ok(
    $$select symphony.extend_lease('{1}', '25 hours')$$,
    '22023', null, 'a lease has at most a day'
);
select * from finish();
