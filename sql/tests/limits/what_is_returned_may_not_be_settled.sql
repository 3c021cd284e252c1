-- ack, nack_with_backoff, snooze, release: what was given back with a message is not in hands any more.
select plan(7);

\ir _keys.sql

select symphony.create_queue('q', ordered => true);
select pg_temp.put('a1 a2 a3 b1');
create temporary table c as
select claim_id, message_id, body #>> '{}' as name from symphony.claim_batch('{q}');
select is(pg_temp.fail('a1', '1 hour'), 'retry, returned a2 a3', 'two are given back');
select throws_ok(
    format('select symphony.%s from c where name = %L', call, name), 'SY013', null, call || ' is refused')
from (values ('ack(claim_id, array[message_id])', 'a2'), ('release(claim_id, array[message_id])', 'a3'),
             ('nack_with_backoff(claim_id, message_id, ''x'')', 'a2'),
             ('snooze(claim_id, message_id, ''1 s'')', 'a3')) as refused (call, name);
select is(pg_temp.done('b1'), 1::bigint, 'the other key is settled, and the claim with it');
select throws_ok(
    $$select symphony.ack(claim_id, array[message_id]) from c where name = 'a2'$$, 'SY013', null,
    'the answer is the same when the claim is over'
);

select * from finish();
