-- A schedule that cannot be fired is disabled with its error.  Those before and after it run.
begin;
select plan(12);

select tap.set_clock('2027-03-01 08:00Z');
select symphony.create_queue('gone');
select symphony.create_schedule('1 well', 'Poll', 'cron', '{"expression": "1 9 * * *"}');
select symphony.create_schedule('2 broken', 'Poll', 'cron', '{"expression": "2 9 * * *"}',
                                queue_name => 'gone');
select symphony.create_schedule('3 well', 'Poll', 'cron', '{"expression": "3 9 * * *"}');
select symphony.drop_queue('gone');

select tap.set_clock('2027-03-01 09:03Z');
select is(symphony.tick_schedules(), 2, 'the others are fired');
select results_eq(
    $$select schedule_name, enabled, run_count, left(last_error, 5) from symphony.schedule
      order by schedule_name$$,
    $$values ('1 well', true, 1, null), ('2 broken', false, 0, 'SY001'),
             ('3 well', true, 1, null)$$,
    'the broken one is disabled with the state of its error'
);
select ok(last_error like '%gone%', 'its error has its text')
from symphony.schedule where schedule_name = '2 broken';
select is_empty(
    $$select from symphony.schedule_run where schedule_name = '2 broken'$$,
    'it did not run'
);

select tap.set_clock('2027-03-02 09:03Z');
select is(symphony.tick_schedules(), 2, 'it stays disabled');

select throws_ok(
    $$select symphony.resume_schedule('2 broken')$$,
    'SY001', null, 'it cannot be resumed while its queue is missing'
);
select is(left(last_error, 5), 'SY001', 'it keeps its error')
from symphony.schedule where schedule_name = '2 broken';
select symphony.create_queue('gone');
select is(
    symphony.resume_schedule('2 broken'),
    '2027-03-03 09:02Z', 'it can be resumed when its queue is back'
);
select results_eq(
    $$select enabled, last_error from symphony.schedule where schedule_name = '2 broken'$$,
    $$values (true, null)$$,
    'its error is gone'
);

select symphony.drop_queue('gone');
select tap.set_clock('2027-03-03 09:03Z');
select symphony.tick_schedules();
select is(enabled, false, 'it is disabled again when it is broken again')
from symphony.schedule where schedule_name = '2 broken';
select is(
    symphony.create_schedule('2 broken', 'Poll', 'cron', '{"expression": "4 9 * * *"}'),
    '2027-03-03 09:04Z', 'it can be created anew'
);
select results_eq(
    $$select enabled, last_error from symphony.schedule where schedule_name = '2 broken'$$,
    $$values (true, null)$$,
    'that heals it, too'
);

select * from finish();
rollback;
