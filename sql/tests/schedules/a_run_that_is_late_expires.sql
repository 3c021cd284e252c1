-- expires_in: a run that comes too late is skipped, and a message that waits too long expires.
select plan(10);

select tap.set_clock('2027-03-01 08:00Z');
select symphony.create_schedule('s', 'Poll', 'interval', '{"every": "1 hour"}', catch_up => 'all',
                                expires_in => '10 minutes', on_expiry => 'drop');
select tap.set_clock('2027-03-01 09:05Z');
select is(symphony.tick_schedules(), 1, 'a run that is a little late is fired');
select is(s.expires_at, '2027-03-01 09:10Z', 'its message expires as if it had been in time')
from symphony.schedule_status('s'), lateral symphony.message_status(last_message_id) as s;
select tap.set_clock('2027-03-01 09:10Z');
select is_empty('select * from symphony.claim_batch()', 'it is not handed out too late');
select is_empty('select * from symphony.message', 'but dropped, as its schedule says');

select tap.set_clock('2027-03-01 12:09Z');
select is(symphony.tick_schedules(), 1, 'of the runs that were missed the last one is in time');
select results_eq(
    $$select scheduled_at, message_id is null, skipped from symphony.schedule_run order by 1 offset 1$$,
    $$values ('2027-03-01 10:00Z'::timestamptz, true, 'it comes too late: a message may start for 00:10:00'),
             ('2027-03-01 11:00Z', true, 'it comes too late: a message may start for 00:10:00'),
             ('2027-03-01 12:00Z', false, null)$$,
    'the history says why the others were skipped'
);
select lives_ok($$select symphony.run_schedule_now('s')$$, 'it can be run at any time');
select is(s.expires_at, '2027-03-01 12:19Z', 'and then expires later')
from symphony.schedule_status('s'), lateral symphony.message_status(last_message_id) as s;
select throws_ok(
    $$select symphony.create_schedule('t', 'Poll', 'interval', '{"every": "1 hour"}', expires_in => '0')$$,
    '22023', null, 'a time of nothing is refused'
);
select throws_ok(
    $$select symphony.create_schedule('t', 'Poll', 'interval', '{"every": "1 hour"}', on_expiry => 'drop')$$,
    '22023', null, 'and so is what becomes of a message that does not expire'
);
select * from finish();
