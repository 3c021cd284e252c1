-- Jitter delays each message by a random part of it.  The times of the runs stay.
begin;
select plan(5);

select tap.set_clock('2027-03-01 08:00Z');
select symphony.create_schedule('poll ' || n, 'Poll', 'cron', '{"expression": "0 9 * * *"}',
                                jitter => '5 minutes')
from generate_series(1, 50) as n;

select tap.set_clock('2027-03-01 09:00Z');
select is(symphony.tick_schedules(), 50, 'all runs are fired at their time');
select is(count(*), 50::bigint, 'all their messages are delayed') from symphony.delayed_message;
select ok(
    min(available_at) >= '2027-03-01 09:00Z' and max(available_at) < '2027-03-01 09:05Z',
    'they are delayed by less than the jitter'
)
from symphony.delayed_message;
select ok(
    max(available_at) - min(available_at) > '1 minute', 'they are delayed by different times'
)
from symphony.delayed_message;
select is_empty(
    $$select from symphony.schedule where next_run_at <> '2027-03-02 09:00Z'$$,
    'the next run is where it would be without jitter'
);

select * from finish();
rollback;
