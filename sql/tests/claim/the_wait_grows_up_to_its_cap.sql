-- nack_with_backoff: the wait grows with each attempt up to its cap, give or take the jitter.
select plan(12);

select symphony.create_queue('q', max_attempts => 6, retry_delay => '2 s', retry_multiplier => 3,
                             retry_max_delay => '20 s', retry_jitter => 0);
select tap.set_clock('2030-01-01 00:00+00');
create function pg_temp.retry_after_an_hour() returns jsonb language plpgsql as $$
begin
    perform tap.advance_clock('1 hour');
    return symphony.tick();
end $$;
create function pg_temp.wait() returns interval language plpgsql as $$
declare v record; n record;
begin
    select * into v from symphony.claim_batch('{q}');
    select * into n from symphony.nack_with_backoff(v.claim_id, v.message_id, 'boom', 'Boom');
    return n.available_at - symphony._now();
end $$;
select symphony.enqueue('A', queue_name => 'q');
select is(pg_temp.wait(), '2 s'::interval, 'the first wait is retry_delay');
select pg_temp.retry_after_an_hour();
select is(pg_temp.wait(), '6 s'::interval, 'the second wait is multiplied');
select pg_temp.retry_after_an_hour();
select is(pg_temp.wait(), '18 s'::interval, 'the third wait is multiplied again');
select pg_temp.retry_after_an_hour();
select is(pg_temp.wait(), '20 s'::interval, 'the fourth wait is retry_max_delay');
select pg_temp.retry_after_an_hour();
select is(pg_temp.wait(), '20 s'::interval, 'the fifth wait does not grow');
select pg_temp.retry_after_an_hour();
select is(pg_temp.wait(), null, 'the sixth of six attempts has no next one');
select results_eq(
    $$select reason, attempt, error_class, last_error from symphony.failed_message$$,
    $$values ('exhausted', 6::smallint, 'Boom', 'boom')$$,
    'the message has failed for good'
);

select symphony.enqueue('B', queue_name => 'q');
select results_eq(
    $$select (symphony.nack_with_backoff(claim_id, message_id, 'invalid', retryable => false)).outcome
      from symphony.claim_batch('{q}')$$,
    $$values ('failed')$$,
    'an error that a retry cannot cure is final at once'
);
select is(
    (select reason from symphony.failed_message where message_type = 'B'),
    'permanent', 'its reason says so'
);

select symphony.enqueue('C', queue_name => 'q');
create temporary table c as select * from symphony.claim_batch('{q}');
select throws_ok(
    $$select symphony.nack_with_backoff(claim_id, message_id, 'x', retry_after => '-1 s') from c$$,
    '22023', null, 'a wait into the past is refused'
);
select is(
    (select n.available_at - symphony._now()
     from c, symphony.nack_with_backoff(claim_id, message_id, 'x', retry_after => '5 minutes') as n),
    '5 minutes'::interval, 'the handler may name the wait'
);

select symphony.configure_queue('q', max_attempts => 100, retry_delay => '10 s', retry_max_delay => '10 s',
                                retry_jitter => 0.5);
select symphony.enqueue('J', queue_name => 'q') from generate_series(1, 200);
create temporary table j as
select (symphony.nack_with_backoff(claim_id, message_id, 'x')).available_at - symphony._now() as wait
from symphony.claim_batch('{q}', 200);
select ok(
    min(wait) >= '5 s' and max(wait) <= '15 s' and max(wait) - min(wait) > '7 s',
    'jitter spreads the waits around it'
)
from j;
select * from finish();
