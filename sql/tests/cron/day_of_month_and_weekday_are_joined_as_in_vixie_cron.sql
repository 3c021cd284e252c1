-- cron_next: either day suffices if both are restricted.  A field that begins with * is not restricted.
begin;
select plan(10);

select is(
    (select string_agg(to_char(run at time zone 'UTC', 'MM-DD'), ' ')
     from symphony.cron_upcoming(expression, 4, '2026-05-05 00:00Z') as run),
    runs, format('%s: %s', expression, claim)
)
from (values
    ('0 0 13 * fri', '05-08 05-13 05-15 05-22', 'the 13th and every Friday'),
    ('0 0 1-7 * mon', '05-06 05-07 05-11 05-18', 'the first week and every Monday'),
    ('0 0 13 * *', '05-13 06-13 07-13 08-13', 'only the day'),
    ('0 0 * * fri', '05-08 05-15 05-22 05-29', 'only the weekday'),
    ('0 0 ? * fri', '05-08 05-15 05-22 05-29', 'a question mark is a star'),
    ('0 0 */2 * mon', '05-11 05-25 06-01 06-15', 'odd days that are Mondays'),
    ('0 0 13 * */5', '09-13 11-13 12-13 06-13', 'a 13th that is a Sunday or Friday'),
    ('0 0 1-31/2 * mon', '05-07 05-09 05-11 05-13', 'odd days and every Monday'),
    ('0 0 L * mon#1', '05-31 06-01 06-30 07-06', 'the last day and the first Monday'),
    ('0 0 H/2 * mon', '05-11 05-25 06-01 06-15', 'H/2 is a star with a step as well')
) as t (expression, runs, claim);

select * from finish();
rollback;
