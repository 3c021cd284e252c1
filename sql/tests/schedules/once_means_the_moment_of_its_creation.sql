-- The time of a single run is read once, in the zone of the schedule.  No session changes it.
begin;
select plan(6);

select tap.set_clock('2027-03-01 08:00Z');

set local timezone = 'Asia/Tokyo';
select is(
    symphony.create_schedule('paris', 'Launch', 'once', '{"at": "2027-03-01 10:00"}',
                             timezone => 'Europe/Paris'),
    '2027-03-01 09:00Z', 'a time without offset is one on the clocks of the schedule''s zone'
);
select is(
    symphony.create_schedule('offset', 'Launch', 'once', '{"at": "2027-03-01 10:00+01"}',
                             timezone => 'America/New_York'),
    '2027-03-01 09:00Z', 'an offset prevails'
);
select is(current_setting('timezone'), 'Asia/Tokyo', 'the session keeps its time zone');
select ok(
    symphony.create_schedule('tomorrow', 'Launch', 'once', '{"at": "tomorrow"}') is not null,
    'a word is understood'
);
select ok(
    (schedule_config ->> 'at')::timestamptz = next_run_at,
    'the moment is what is kept of it'
)
from symphony.schedule where schedule_name = 'tomorrow';

set local timezone = 'America/Los_Angeles';
select tap.set_clock('2027-03-01 09:00Z');
select symphony.tick_schedules();
select is_empty(
    $$select schedule_name, next_run_at from symphony.schedule
      where schedule_name <> 'tomorrow' and next_run_at is not null$$,
    'a session in another zone fires it once as well'
);

select * from finish();
rollback;
