-- catch_up all: every missed run is made up for up to catch_up_limit, the oldest first.
begin;
select plan(8);

select tap.set_clock('2027-03-01 08:30Z');
select symphony.create_schedule('hourly', 'Poll', 'cron', '{"expression": "0 * * * *"}',
                                catch_up => 'all', catch_up_limit => 3);

select tap.set_clock('2027-03-01 11:40Z');
select is(symphony.tick_schedules(), 3, 'as many as the limit are fired');
select results_eq(
    $$select scheduled_at from symphony.schedule_run order by message_id$$,
    $$values ('2027-03-01 09:00Z'::timestamptz), ('2027-03-01 10:00Z'), ('2027-03-01 11:00Z')$$,
    'they are fired in their order'
);
select is_empty($$select from symphony.schedule_run where skipped is not null$$, 'no run is skipped');

select tap.set_clock('2027-03-01 20:10Z');
select is(symphony.tick_schedules(), 3, 'the first ones are fired when there are more');
select results_eq(
    $$select scheduled_at, skipped from symphony.schedule_run
      where fired_at = '2027-03-01 20:10Z' order by scheduled_at$$,
    $$values ('2027-03-01 12:00Z'::timestamptz, null), ('2027-03-01 13:00Z', null),
             ('2027-03-01 14:00Z', null),
             ('2027-03-01 15:00Z', 'more were missed than catch_up_limit')$$,
    'the history says where it gave up'
);
select is(next_run_at, '2027-03-01 21:00Z', 'the next run is to come') from symphony.schedule;
select is(run_count, 6, 'each run counts') from symphony.schedule;
select is(symphony.tick_schedules(), 0, 'nothing is left for the next tick');

select * from finish();
rollback;
