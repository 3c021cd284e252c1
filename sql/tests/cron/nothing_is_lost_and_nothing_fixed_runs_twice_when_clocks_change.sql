-- cron_next: no run is lost, and no run at a fixed time comes twice, when clocks change.
begin;
select plan(42);

-- The coming runs after a local time, written in the zone's own time with its offset from UTC.
create function pg_temp.runs(timezone text, expression text, after text, n integer) returns text
language plpgsql as $$
begin
    perform set_config('timezone', timezone, true);
    return (select string_agg(to_char(run, 'MM-DD HH24:MITZH:TZM'), ', ')
            from symphony.cron_upcoming(expression, n, after::timestamptz, timezone) as run);
end;
$$;

select is(
    pg_temp.runs(timezone, expression, after, cardinality(runs)),
    array_to_string(runs, ', '), format('%s in %s: %s', expression, timezone, claim)
)
from (values
    -- 2026-03-29: 02:00 becomes 03:00; 2026-10-25: 03:00 becomes 02:00.
    ('Europe/Paris', '30 2 * * *', '2026-03-28 12:00',
     '{03-29 03:00+02:00,03-30 02:30+02:00}'::text[], 'a skipped run is made up for at once'),
    ('Europe/Paris', '0,15,30,45 2 * * *', '2026-03-28 12:00',
     '{03-29 03:00+02:00,03-30 02:00+02:00}', 'several skipped runs by one'),
    ('Europe/Paris', '*/20 2 * * *', '2026-03-28 12:00',
     '{03-29 03:00+02:00,03-30 02:00+02:00}', 'those of a frequent job too'),
    ('Europe/Paris', '0,30 2,3 * * *', '2026-03-28 12:00',
     '{03-29 03:00+02:00,03-29 03:30+02:00}', 'a run that is due anyway makes up for them'),
    ('Europe/Paris', '0 */2 * * *', '2026-03-29 00:00',
     '{03-29 03:00+02:00,03-29 04:00+02:00}', 'a job of every other hour is made up for'),
    ('Europe/Paris', '30 * * * *', '2026-03-29 01:00',
     '{03-29 01:30+01:00,03-29 03:30+02:00}', 'a job of every hour has nothing to make up for'),
    ('Europe/Paris', '30 0-23 * * *', '2026-03-29 01:00',
     '{03-29 01:30+01:00,03-29 03:30+02:00}', 'however every hour is written'),
    ('Europe/Paris', '*/15 * * * *', '2026-03-29 01:30',
     '{03-29 01:45+01:00,03-29 03:00+02:00,03-29 03:15+02:00}', 'quarters go on'),
    ('Europe/Paris', '59 1 * * *', '2026-03-28 12:00',
     '{03-29 01:59+01:00,03-30 01:59+02:00}', 'the minute before is as ever'),
    ('Europe/Paris', '0 3 * * *', '2026-03-28 12:00',
     '{03-29 03:00+02:00,03-30 03:00+02:00}', 'and so is the first instant after'),
    ('Europe/Paris', '30 2 29 3 *', '2026-01-01 00:00',
     '{03-29 03:00+02:00,03-29 02:30+02:00}', 'a yearly job is not lost for a year'),
    ('Europe/Paris', '30 2 * * *', '2026-10-24 12:00',
     '{10-25 02:30+02:00,10-26 02:30+01:00}', 'a fixed time runs the first time round'),
    ('Europe/Paris', '15,45 2 * * *', '2026-10-25 02:20+02',
     '{10-25 02:45+02:00,10-26 02:15+01:00}', 'seen from within the first time round'),
    ('Europe/Paris', '15,45 2 * * *', '2026-10-25 02:20+01',
     '{10-26 02:15+01:00}', 'seen from within the second'),
    ('Europe/Paris', '0 3 * * *', '2026-10-25 02:59+02',
     '{10-25 03:00+01:00}', 'an hour after a minute to three comes three'),
    ('Europe/Paris', '30 * * * *', '2026-10-25 01:00',
     '{10-25 01:30+02:00,10-25 02:30+02:00,10-25 02:30+01:00,10-25 03:30+01:00}',
     'every hour has its run'),
    ('Europe/Paris', '*/30 2 * * *', '2026-10-25 00:00',
     '{10-25 02:00+02:00,10-25 02:30+02:00,10-25 02:00+01:00,10-25 02:30+01:00,10-26 02:00+01:00}',
     'a star in the minute runs both times'),
    ('Europe/Paris', 'H/30 2 * * *', '2026-10-25 02:30+02',
     '{10-25 02:41+02:00,10-25 02:11+01:00,10-25 02:41+01:00}', 'and so does H/n'),
    ('Europe/Paris', '0 */2 * * *', '2026-10-25 00:00',
     '{10-25 02:00+02:00,10-25 02:00+01:00,10-25 04:00+01:00}', 'a star in the hour as well'),
    ('Europe/Paris', '0-59 2 * * *', '2026-10-25 02:59+02',
     '{10-26 02:00+01:00}', 'a range is a fixed time'),
    -- 2026-03-08: 02:00 becomes 03:00; 2026-11-01: 02:00 becomes 01:00.
    ('America/New_York', '30 2 * * *', '2026-03-07 12:00',
     '{03-08 03:00-04:00,03-09 02:30-04:00}', 'west of Greenwich'),
    ('America/New_York', '30 1 * * *', '2026-10-31 12:00',
     '{11-01 01:30-04:00,11-02 01:30-05:00}', 'a fixed time'),
    ('America/New_York', '0,30 * * * *', '2026-11-01 00:30',
     '{11-01 01:00-04:00,11-01 01:30-04:00,11-01 01:00-05:00,11-01 01:30-05:00,11-01 02:00-05:00}',
     'a job of every hour'),
    -- 2026-10-04: 02:00 becomes 02:30; 2026-04-05: 02:00 becomes 01:30.
    ('Australia/Lord_Howe', '15 2 * * *', '2026-10-03 12:00',
     '{10-04 02:30+11:00,10-05 02:15+11:00}', 'half an hour is skipped'),
    ('Australia/Lord_Howe', '45 2 * * *', '2026-10-03 12:00',
     '{10-04 02:45+11:00,10-05 02:45+11:00}', 'the other half is not'),
    ('Australia/Lord_Howe', '45 1 * * *', '2026-04-04 12:00',
     '{04-05 01:45+11:00,04-06 01:45+10:30}', 'half an hour is repeated'),
    ('Australia/Lord_Howe', '*/15 * * * *', '2026-04-05 01:15',
     '{04-05 01:30+11:00,04-05 01:45+11:00,04-05 01:30+10:30,04-05 01:45+10:30,04-05 02:00+10:30}',
     'quarters run both times'),
    -- Summer time all the year but Ramadan: 2025-02-23 back, 2025-04-06 forward.
    ('Africa/Casablanca', '30 2 * * *', '2025-02-22 12:00',
     '{02-23 02:30+01:00,02-24 02:30+00:00}', 'back for Ramadan'),
    ('Africa/Casablanca', '30 2 * * *', '2025-04-05 12:00',
     '{04-06 03:00+01:00,04-07 02:30+01:00}', 'forward after it'),
    -- Winter time is the exception by law, with a negative saving.
    ('Europe/Dublin', '30 1 * * *', '2026-03-28 12:00',
     '{03-29 02:00+01:00,03-30 01:30+01:00}', 'forward to standard time'),
    ('Europe/Dublin', '30 1 * * *', '2026-10-24 12:00',
     '{10-25 01:30+01:00,10-26 01:30+00:00}', 'back from standard time'),
    -- Midnight itself is skipped, or repeated.
    ('America/Sao_Paulo', '@daily', '2018-11-03 12:00',
     '{11-04 01:00-02:00,11-05 00:00-02:00}', 'a day that begins at one'),
    ('America/Havana', '@daily', '2025-11-01 12:00',
     '{11-02 00:00-04:00,11-03 00:00-05:00}', 'a day with two midnights'),
    ('America/Havana', '@hourly', '2025-11-01 23:00',
     '{11-02 00:00-04:00,11-02 00:00-05:00,11-02 01:00-05:00}', 'hours of two midnights'),
    -- At a minute past midnight clocks went back into the day before.
    ('America/St_Johns', '30 23 * * *', '2006-10-27 12:00',
     '{10-27 23:30-02:30,10-28 23:30-02:30,10-29 23:30-03:30}', 'an evening that comes back'),
    ('America/St_Johns', '@daily', '2006-10-28 12:00',
     '{10-29 00:00-02:30,10-30 00:00-03:30}', 'a midnight that comes back'),
    -- Two hours at once.
    ('Antarctica/Troll', '30 1,2 * * *', '2025-10-25 12:00',
     '{10-26 01:30+02:00,10-26 02:30+02:00,10-27 01:30+00:00}', 'two hours are repeated'),
    -- There was no 30 December 2011.
    ('Pacific/Apia', '0 12 * * *', '2011-12-28 13:00',
     '{12-29 12:00-10:00,12-31 00:00+14:00,12-31 12:00+14:00}', 'a skipped day'),
    ('Pacific/Apia', '0 12 30 12 *', '2011-12-28 12:00',
     '{12-31 00:00+14:00,12-30 12:00+14:00}', 'a yearly job on the skipped day'),
    ('Pacific/Apia', '30 * * * *', '2011-12-29 23:00',
     '{12-29 23:30-10:00,12-31 00:30+14:00}', 'hour after hour across it'),
    -- 30 September 1969 lasted 47 hours.
    ('Pacific/Kwajalein', '0 12 * * *', '1969-09-29 13:00',
     '{09-30 12:00+11:00,10-01 12:00-12:00}', 'a day that comes back'),
    -- Until 1972 44 minutes and 30 seconds behind Greenwich.
    ('Africa/Monrovia', '@daily', '1972-01-06 12:00',
     '{01-07 00:44+00:00,01-08 00:00+00:00}', 'an odd offset')
) as t (timezone, expression, after, runs, claim);

select * from finish();
rollback;
