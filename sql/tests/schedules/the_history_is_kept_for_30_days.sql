-- tick() removes the runs that are older than 30 days, remove_schedule() those of its schedule.
begin;
select plan(7);

select tap.set_clock('2027-03-01 08:00Z');
select symphony.create_schedule('daily', 'Poll', 'cron', '{"expression": "0 9 * * *"}');
select symphony.create_schedule('other', 'Poll', 'cron', '{"expression": "0 10 * * *"}');
select tap.set_clock('2027-03-01 09:00Z');
select symphony.tick();
select tap.set_clock('2027-03-02 10:00Z');
select symphony.tick();

select tap.set_clock('2027-03-31 09:00Z');
select symphony.pause_schedule('daily');
select symphony.tick();
select isnt_empty(
    $$select from symphony.schedule_run where scheduled_at = '2027-03-01 09:00Z'$$,
    'a run is still there after exactly 30 days'
);
select tap.set_clock('2027-03-31 09:00:11Z');
select symphony.tick();
select results_eq(
    $$select scheduled_at from symphony.schedule_history where schedule_name = 'daily'$$,
    $$values ('2027-03-02 09:00Z'::timestamptz)$$,
    'it is gone after that, and the next one is left'
);

select is(symphony.remove_schedule('daily'), true, 'a schedule is removed');
select is_empty(
    $$select from symphony.schedule_run where schedule_name = 'daily'$$,
    'its history is removed with it'
);
select isnt_empty(
    $$select from symphony.schedule_run where schedule_name = 'other'$$,
    'the history of others stays'
);
select is(symphony.remove_schedule('daily'), false, 'the removed schedule is not there any more');
select is(count(*), 4::bigint, 'what it had enqueued stays')
from symphony.message;

select * from finish();
rollback;
