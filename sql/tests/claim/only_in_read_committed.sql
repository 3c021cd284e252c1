-- claim_batch: an older snapshot would read an old position, so other isolation levels are refused.
select plan(4);
begin isolation level repeatable read;
select throws_ok($$select symphony.claim_batch()$$, 'SY011', null, 'a claim in repeatable read is refused');
commit;
begin isolation level serializable;
select throws_ok($$select symphony.claim_batch()$$, 'SY011', null, 'a claim in serializable is refused');
commit;
begin isolation level read uncommitted;
select lives_ok($$select symphony.claim_batch()$$, 'read uncommitted is the same as read committed');
commit;
begin isolation level repeatable read;
select lives_ok($$select symphony.enqueue('A')$$, 'enqueueing is welcome at any level');
commit;
select * from finish();
