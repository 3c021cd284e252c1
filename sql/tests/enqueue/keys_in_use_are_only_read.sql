-- enqueue: duplicates of a message that is there wait for nobody.
select plan(2);

select symphony.enqueue('A', idempotency_key => 'k') as id \gset
select dblink_connect('other', tap.dsn());
select dblink_exec('other', 'begin');
select dblink_exec('other', $$do $x$ begin perform symphony.enqueue('A', idempotency_key => 'k'); end $x$ $$);
set lock_timeout = '100 ms';
select is(symphony.enqueue('A', idempotency_key => 'k'), :id::bigint, 'another transaction has sent the same, and stays open');
reset lock_timeout;
select dblink_exec('other', 'commit');
select is(count(*), 1::bigint, 'it is one message') from symphony.message;
select * from finish();
