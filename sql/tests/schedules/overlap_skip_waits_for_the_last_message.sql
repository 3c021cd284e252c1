-- overlap skip: no run is fired while the last message is pending, delayed or being processed.
select plan(15);

select tap.set_clock('2027-03-01 08:00Z');
select symphony.create_queue('jobs', retry_delay => '10 minutes', retry_max_delay => '10 minutes');
select symphony.create_schedule('skip', 'Poll', 'interval', '{"every": "1 minute"}',
                                queue_name => 'jobs', overlap => 'skip');
select symphony.create_schedule('allow', 'Poll', 'interval', '{"every": "1 minute"}');

select tap.set_clock('2027-03-01 08:01Z');
select is(symphony.tick_schedules(), 2, 'the first run of both is fired');

select tap.set_clock('2027-03-01 08:02Z');
select is(
    symphony.tick_schedules(),
    1, 'only the schedule that allows it runs while its message is pending'
);
select results_eq(
    $$select scheduled_at, message_id, skipped from symphony.schedule_run
      where schedule_name = 'skip' and skipped is not null$$,
    $$values ('2027-03-01 08:02Z'::timestamptz, null::bigint,
              'the message of the last run is not settled')$$,
    'the history says why'
);
select results_eq(
    $$select run_count, last_run_at, next_run_at from symphony.schedule
      where schedule_name = 'skip'$$,
    $$values (1, '2027-03-01 08:01Z'::timestamptz, '2027-03-01 08:03Z'::timestamptz)$$,
    'a skipped run does not count'
);

create temporary table delivery as select * from symphony.claim_batch('{jobs}', lease => '1 hour');
select is(count(*), 1::bigint, 'a worker has the message') from delivery;
select tap.set_clock('2027-03-01 08:03Z');
select is(symphony.tick_schedules(), 1, 'a run is skipped while the message is being processed');

select is(outcome, 'retry', 'it is to be retried')
from delivery, symphony.nack_with_backoff(delivery.claim_id, delivery.message_id, 'busy');
select tap.set_clock('2027-03-01 08:04Z');
select is(symphony.tick_schedules(), 1, 'a run is skipped while the message is delayed');

select tap.set_clock('2027-03-01 08:20Z');
select is(symphony.tick() ->> 'fired', '1', 'a run is skipped while the message is due again');
drop table delivery;
create temporary table delivery as select * from symphony.claim_batch('{jobs}');
select is(symphony.ack(claim_id), 1, 'it is completed') from delivery;
select tap.set_clock('2027-03-01 08:21Z');
select is(symphony.tick_schedules(), 2, 'the schedule runs again');

select ok(symphony.cancel(last_message_id), 'its message is cancelled')
from symphony.schedule where schedule_name = 'skip';
select symphony.create_schedule('skip', 'Poll', 'interval', '{"every": "1 minute"}',
                                queue_name => 'jobs', overlap => 'skip', catch_up => 'all',
                                max_runs => 4);
select symphony.pause_schedule('allow');
select tap.set_clock('2027-03-01 08:25Z');
select is(symphony.tick_schedules(), 1, 'one of four missed runs is made up for');
select is(next_run_at, '2027-03-01 08:26Z', 'those that were skipped do not count for max_runs')
from symphony.schedule where schedule_name = 'skip';
select is(count(*), 3::bigint, 'all of them are in the history')
from symphony.schedule_run
where schedule_name = 'skip' and fired_at = '2027-03-01 08:25Z' and skipped is not null;

select * from finish();
