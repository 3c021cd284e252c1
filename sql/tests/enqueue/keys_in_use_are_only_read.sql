-- enqueue: duplicates of a message that is there wait for nobody.
select plan(2);

select symphony.enqueue('A', idempotency_key => 'k') as id \gset
select tap.elsewhere('other', 'begin');
select tap.elsewhere('other', $$select symphony.enqueue('A', idempotency_key => 'k')$$);
set lock_timeout = '100 ms';
select is(
    symphony.enqueue('A', idempotency_key => 'k'),
    :id::bigint, 'a duplicate does not wait for a transaction that has sent the same'
);
reset lock_timeout;
select tap.elsewhere('other', 'commit');
select is(count(*), 1::bigint, 'both are one message') from symphony.message;
select * from finish();
