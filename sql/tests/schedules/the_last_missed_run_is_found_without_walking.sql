-- The last of a hundred thousand missed runs is found as fast as that of ten.
begin;
select plan(5);

-- Each look for a next run counts.
create sequence looks;
alter function symphony.cron_next(text, timestamptz, text, text) rename to real_cron_next;
create function symphony.cron_next(expression text, after timestamptz, timezone text, hash_key text)
returns timestamptz language sql volatile as $$
    select nextval('public.looks');
    select symphony.real_cron_next(expression, after, timezone, hash_key);
$$;

select tap.set_clock('2026-12-31 12:00Z');
select symphony.create_schedule('new year', 'Poll', 'cron', '{"expression": "* * * 1 1 *"}');
select symphony.create_schedule('leap day', 'Poll', 'cron', '{"expression": "0 0 29 2 *"}');

select tap.set_clock('2049-06-15 12:00Z');
select setval('looks', 1);
select is(symphony.tick_schedules(), 2, 'both are made up for');
select is(last_run_at, '2049-01-01 23:59:59Z', 'the last second of a day 22 years later')
from symphony.schedule where schedule_name = 'new year';
select is(last_run_at, '2048-02-29 00:00Z', 'the last leap day')
from symphony.schedule where schedule_name = 'leap day';
select cmp_ok(last_value, '<', 200::bigint, 'they are found in a few looks') from looks;
select is(next_run_at, '2050-01-01 00:00Z', 'the next run is to come')
from symphony.schedule where schedule_name = 'new year';

select * from finish();
rollback;
