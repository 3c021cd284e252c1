-- nack_with_backoff: a worker that does not say whether a retry helps gets one.
select plan(2);

select symphony.enqueue('A');
create temporary table c as select * from symphony.claim_batch();
select is(
    (select (symphony.nack_with_backoff(claim_id, message_id, 'x', retryable => null)).outcome from c),
    'retry', 'null is the default of retryable, as of any other argument'
);
select is((select status from symphony.message_status(1)), 'delayed', 'the message is not dead');
select * from finish();
