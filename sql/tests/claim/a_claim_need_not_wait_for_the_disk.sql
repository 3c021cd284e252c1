-- claim_batch: an asynchronous claim lets its transaction not wait for the disk, and no other one.
select plan(6);
select symphony.enqueue('A') from generate_series(1, 3);
begin;
set local synchronous_commit = on;
select is((select count(*) from symphony.claim_batch(batch_size => 1)), 1::bigint, 'a claim is synchronous');
select is(current_setting('synchronous_commit'), 'on', 'and its transaction waits for the disk');
select is(
    (select count(*) from symphony.claim_batch(batch_size => 1, asynchronous => true)),
    1::bigint, 'another one is not'
);
select is(current_setting('synchronous_commit'), 'off', 'and its transaction does not wait');
commit;
set synchronous_commit = local;
select is(
    (select count(*) from symphony.claim_batch(batch_size => 1, asynchronous => true)),
    1::bigint, 'a claim in a transaction of its own, too'
);
select is(current_setting('synchronous_commit'), 'local', 'does not concern the next transaction');
select * from finish();
