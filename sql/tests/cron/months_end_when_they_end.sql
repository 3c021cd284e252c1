-- cron_next: it knows the ends of months and leap years, and finds dates that are years away.
begin;
select plan(14);
set local timezone = 'UTC';

select is(symphony.cron_next(expression, after::timestamptz), run::timestamptz, claim)
from (values
    ('0 0 31 * *', '2026-01-31', '2026-03-31', 'the 31st skips the months that lack it'),
    ('0 0 30 * *', '2026-01-30', '2026-03-30', 'so does the 30th'),
    ('0 0 L * *', '2026-01-31', '2026-02-28', 'the last day skips none'),
    ('0 0 L * *', '2028-01-31', '2028-02-29', 'nor in a leap year'),
    ('0 0 L 2 *', '2100-01-01', '2100-02-28', '2100 is no leap year'),
    ('0 0 29 2 *', '2026-01-01', '2028-02-29', 'a leap day is up to four years away'),
    ('0 0 29 2 *', '2096-02-29', '2104-02-29', 'eight across 2100'),
    ('0 0 29 2 *', '1996-02-29', '2000-02-29', 'but not across 2000'),
    ('0 0 29 2 */7', '2088-02-29', '2128-02-29', 'forty if it has to be a Sunday'),
    ('0 0 * 2 mon#5', '2072-02-29', '2112-02-29', 'as for five Mondays in a February'),
    ('0 0 LW 2 *', '2026-01-01', '2026-02-27', 'the last Monday to Friday of a short month'),
    ('0 0 31 12 *', '2026-12-31', '2027-12-31', 'the last day of the year'),
    ('0 0 1 * *', '2026-12-31 23:59', '2027-01-01', 'the turn of the year'),
    ('59 23 31 12 5L', '2027-12-30', '2027-12-31 23:59', 'a last Friday that is a last day')
) as t (expression, after, run, claim);

select * from finish();
rollback;
