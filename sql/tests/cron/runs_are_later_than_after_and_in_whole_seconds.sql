-- cron_next: the result is strictly later than after, and does not depend on the session.
begin;
select plan(12);
set local timezone = 'UTC';

select is(symphony.cron_next(expression, after::timestamptz), run::timestamptz, claim)
from (values
    ('* * * * *', '2026-05-05 12:00:00', '2026-05-05 12:01:00', 'a run is not its own successor'),
    ('* * * * *', '2026-05-05 11:59:59.999999', '2026-05-05 12:00:00', 'an instant before it is due'),
    ('* * * * *', '2026-05-05 12:00:00.000001', '2026-05-05 12:01:00', 'an instant after it was'),
    ('* * * * * *', '2026-05-05 12:00:00.5', '2026-05-05 12:00:01', 'every second'),
    ('59 59 23 31 12 *', '2026-05-05', '2026-12-31 23:59:59', 'the last second of the year'),
    ('0 0 1 1 *', '2026-12-31 23:59:59', '2027-01-01 00:00:00', 'the first of the next'),
    ('30 */2 8 * * *', '2026-05-05 08:58:30', '2026-05-06 08:00:30', 'seconds, minutes and hours turn'),
    ('0 12 * * *', '0044-03-15 13:00:00 BC', '0044-03-16 12:00:00 BC', 'before the common era')
) as t (expression, after, run, claim);

set local timezone = 'Asia/Tokyo';
select is(
    symphony.cron_next('0 9 * * *', '2026-05-05 00:00Z', 'Europe/Paris'),
    '2026-05-05 07:00Z', 'the zone of the schedule counts, not that of the session'
);
set local timezone = 'Europe/Paris';
select is(
    symphony.cron_next('30 2 * * *', '2026-03-28 12:00Z', 'America/New_York'),
    '2026-03-29 06:30Z', 'the zone of the session does not count when its clocks change'
);
select is(
    symphony.cron_next('0 12 * * *', '2011-12-29 23:00Z', 'Pacific/Apia'),
    '2011-12-30 10:00Z', 'the zone of the session does not count when that of the schedule skips a day'
);
select is(
    symphony.cron_next('0 12 * * *', '2026-05-05 00:00Z'),
    '2026-05-05 12:00Z', 'the zone is UTC unless given'
);

select * from finish();
rollback;
