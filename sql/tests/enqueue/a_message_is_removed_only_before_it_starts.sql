-- cancel: a message that was cancelled never starts, and a message that has started is not cancelled.
select plan(15);

select tap.set_clock('2030-01-01 12:00:00+00');

-- In the middle of a batch, of a transaction, of a lane.
begin;
select symphony.enqueue('A', jsonb_build_object('n', i)) from generate_series(1, 6) as i;
commit;
select is(
    (select string_agg(message_id::text, ' ') from symphony.claim_batch(batch_size => 2)),
    '1 2', 'a claim ends in the middle of a transaction'
);
select is(symphony.cancel(2), false, 'what is before the end of the claim has started');
select is(symphony.cancel(3), true, 'what comes right after it has not started');
select is(symphony.cancel(6), true, 'the last one has not started');
select throws_ok($$select symphony.cancel(3)$$, 'SY003', null, 'a cancelled message is not known any more');
select is(
    (select string_agg(message_id::text, ' ') from symphony.claim_batch(batch_size => 2)),
    '4 5', 'all others follow'
);
select is_empty($$select from symphony.claim_batch()$$, 'no message is left');

-- A retry has not started again.
select symphony.nack_with_backoff(claim_id, 5, 'x', retry_after => '10 s')
from symphony.claim where 5 = any (open_ids);
select is(symphony.cancel(5), true, 'a message that waits for its next attempt can be cancelled');
select is_empty($$select from symphony.message_status(5)$$, 'the cancelled message is gone');

-- Given back, and come back.
select symphony.release(claim_id, '{4}') from symphony.claim where 4 = any (open_ids);
select is(symphony.cancel(4), true, 'a message that was given back can be cancelled');
select tap.advance_clock('1 minute');
select symphony.tick();
select is(symphony.cancel(2), true, 'a message that came back because its lease had ended can be cancelled');
select is((select message_id from symphony.claim_batch()), 1::bigint, 'its neighbour is still there');

-- In a transaction of its own making, and rolled back.
begin;
select is(
    symphony.cancel(symphony.enqueue('A')),
    true, 'a transaction can cancel its own message before anybody sees it'
);
commit;
select symphony.enqueue('B');
begin;
select symphony.cancel(max(message_id)) from symphony.message;
rollback;
select is(
    (select message_type from symphony.claim_batch()),
    'B', 'a cancel that is rolled back did not happen'
);
select symphony.purge_queue('default');
select is_empty($$select from symphony.claim_batch()$$, 'nothing else is left');
select * from finish();
