-- claim_batch: it takes from any lane that is free before it waits for one that another session holds.
select plan(7);

select symphony.create_queue('a');
select symphony.create_queue('b');
select symphony.enqueue('A', queue_name => 'a');
select symphony.enqueue('A', queue_name => 'a');
select symphony.enqueue('B', queue_name => 'b');

-- A producer cancels in a transaction that goes on.
select tap.elsewhere('producer', 'begin');
select tap.elsewhere('producer', 'select symphony.cancel(1)::text');

set lock_timeout = '2s';
select results_eq(
    $$select message_id from symphony.claim_batch('{a,b}')$$, $$values (3::bigint)$$,
    'the message of the other queue is handed out'
);
select throws_ok(
    $$select * from symphony.claim_batch('{a,b}')$$, '55P03', null,
    'when no other has anything, the lane is waited for'
);
select throws_ok($$select * from symphony.claim_batch('{b,a}')$$, '55P03', null, 'wherever its queue stands');
select throws_ok($$select * from symphony.claim_batch('{a}')$$, '55P03', null, 'also if it is the only one');
select is_empty($$select * from symphony.claim_batch('{b}')$$, 'a queue without messages is not waited for');
select matches(
    symphony.why_not_running(2),
    '^Its lane is locked by pid \d+ \(role postgres(, [^,]*)?, idle in transaction for .*\)\.$',
    'who holds it is named'
);

set lock_timeout = 0;
select tap.start_elsewhere('worker', $$select message_id::text from symphony.claim_batch('{a,b}')$$);
select pg_sleep(0.1);
select tap.elsewhere('producer', 'commit');
select is(tap.result_from('worker'), '2', 'it is handed out as soon as the lane is free');

select tap.dblink_disconnect(session) from unnest('{producer,worker}'::text[]) as session;
select * from finish();
