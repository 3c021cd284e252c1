-- ack, release, extend_lease: only the holder of a live claim can settle its messages, each once.
select plan(20);

select symphony.enqueue('A') from generate_series(1, 6);
create temporary table c as select * from symphony.claim_batch(worker => 'w');
create function pg_temp.claim() returns bigint language sql as $$ select max(claim_id) from c $$;

select is(
    symphony.ack(pg_temp.claim(), '{1,2,2}'),
    2, 'a part can be settled, and an id given twice counts once'
);
select throws_ok(
    $$select symphony.ack(pg_temp.claim(), '{2,3}')$$,
    'SY010', null, 'what is settled already cannot be settled'
);
select throws_ok(
    $$select symphony.ack(pg_temp.claim(), '{99}')$$,
    'SY010', null, 'what is not in the claim cannot be settled'
);
select throws_ok(
    $$select symphony.ack(pg_temp.claim(), '{}')$$,
    'SY010', null, 'an empty list settles nothing'
);
select throws_ok($$select symphony.ack(pg_temp.claim(), '{null}')$$, 'SY010', null, 'null is not a message');
select throws_ok(
    $$select symphony.ack(pg_temp.claim() + 1)$$,
    'SY010', null, 'a claim that does not exist settles nothing'
);
select throws_ok($$select symphony.ack(null)$$, 'SY010', null, 'null is not a claim');
select results_eq(
    $$select open_ids from symphony.claim where claim_id = pg_temp.claim()$$,
    $$values ('{3,4,5,6}'::bigint[])$$,
    'a refused ack changes nothing'
);
select is(symphony.release(pg_temp.claim(), '{3}'), 1, 'a message can be given back');
select results_eq(
    $$select status, attempt from symphony.message_status(3)$$,
    $$values ('pending', 0)$$,
    'it is pending with no attempt used'
);
select throws_ok(
    $$select symphony.release(pg_temp.claim(), '{3}')$$,
    'SY010', null, 'it can be given back once'
);
select is(
    (select attempt from symphony.claim_batch() where message_id = 3),
    1, 'its next delivery is still the first attempt'
);

select results_eq(
    $$select symphony.extend_lease(array[pg_temp.claim(), 999], '1 hour')$$,
    $$select pg_temp.claim()$$,
    'a lease can be renewed if it is held'
);
select throws_ok(
    $$select symphony.extend_lease('{1}', '-1 s')$$,
    '22023', null, 'a lease cannot be renewed into the past'
);
select ok(
    (select lease_until > now() + interval '59 minutes' from symphony.claim where claim_id = pg_temp.claim()),
    'the renewed lease ends an hour from now'
);
select tap.advance_clock('61 minutes');
select is_empty(
    $$select symphony.extend_lease(array[pg_temp.claim()])$$,
    'a lease that has ended cannot be renewed'
);
select throws_ok($$select symphony.ack(pg_temp.claim())$$, 'SY010', null, 'its worker cannot settle');
select throws_ok(
    $$select symphony.nack_with_backoff(pg_temp.claim(), 4, 'x')$$,
    'SY010', null, 'its worker cannot refuse'
);
select throws_ok($$select symphony.release(pg_temp.claim())$$, 'SY010', null, 'its worker cannot give back');
select is(
    (symphony.tick() ->> 'recovered')::integer,
    4, 'the messages go to others: three of this claim and the one given back'
);
select * from finish();
