-- Each message has the headers of the schedule, and its name and time, in UTC.
begin;
select plan(5);

set local timezone = 'Asia/Tokyo';
select tap.set_clock('2027-03-01 08:30Z');
select symphony.create_queue('jobs');
select symphony.create_schedule('hourly', 'Poll', 'cron', '{"expression": "0 * * * *"}',
                                body => '{"a": 1}', queue_name => 'jobs', priority => 7,
                                headers => '{"tenant": "acme", "schedule": "mine"}');
select tap.set_clock('2027-03-01 09:00:03Z');
select symphony.tick_schedules();

create temporary view sent as
select m.*, r.scheduled_at
from symphony.schedule_run as r, symphony.message_status(r.message_id) as m;

select results_eq(
    $$select message_type, body, queue_name, priority, status, enqueued_at from sent$$,
    $$values ('Poll', '{"a": 1}'::jsonb, 'jobs', 7, 'pending',
              '2027-03-01 09:00:03Z'::timestamptz)$$,
    'the message is what the schedule says'
);
select is(
    headers,
    '{"tenant": "acme", "schedule": "hourly", "scheduled_at": "2027-03-01T09:00:00+00:00"}'::jsonb,
    'its headers name the schedule and the time of the run in UTC'
)
from sent;
select is(message_id, (select last_message_id from symphony.schedule), 'the schedule knows its message')
from sent;

select tap.set_clock('2027-03-01 09:20Z');
select symphony.run_schedule_now('hourly') as by_hand \gset
select is(headers ->> 'scheduled_at', '2027-03-01T09:20:00+00:00',
    'the time of a run by hand is the moment it was asked for')
from symphony.message_status(:by_hand);
select results_eq(
    $$select run_count, last_run_at, next_run_at from symphony.schedule$$,
    $$values (2, '2027-03-01 09:20Z'::timestamptz, '2027-03-01 10:00Z'::timestamptz)$$,
    'a run by hand counts, beside the times of the schedule'
);

select * from finish();
rollback;
