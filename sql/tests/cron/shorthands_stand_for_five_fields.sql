-- cron_next: @hourly to @yearly stand for five fields, and @every for an interval.
begin;
select plan(15);
set local timezone = 'UTC';

select is(symphony.cron_next(expression, after::timestamptz), run::timestamptz, expression)
from (values
    ('@hourly', '2026-05-05 12:34', '2026-05-05 13:00'),
    ('@daily', '2026-05-05 12:34', '2026-05-06'),
    ('@midnight', '2026-05-05 12:34', '2026-05-06'),
    ('@weekly', '2026-05-05 12:34', '2026-05-10'),
    ('@monthly', '2026-05-05 12:34', '2026-06-01'),
    ('@yearly', '2026-05-05 12:34', '2027-01-01'),
    (' @Annually ', '2026-05-05 12:34', '2027-01-01'),
    ('@every 90s', '2026-05-05 00:00:01', '2026-05-05 00:01:30'),
    ('@every 1h30m', '2026-05-05 00:00:00', '2026-05-05 01:30:00'),
    ('@EVERY 2d', '1970-01-02 00:00', '1970-01-03 00:00'),
    ('@every 1d12h', '1970-01-01 00:00', '1970-01-02 12:00'),
    ('@every 7m', '1969-12-31 23:58', '1970-01-01 00:00')
) as t (expression, after, run);

select is(
    symphony.cron_next('@every 1d', '2026-05-05 00:00Z', 'Asia/Tokyo'),
    '2026-05-06 00:00Z', '@every counts from 1970-01-01 UTC in every zone'
);
select is(
    symphony.cron_next('@every 1h', '2026-10-25 00:30Z', 'Europe/Paris'),
    '2026-10-25 01:00Z', '@every takes no notice of clocks'
);
select is(
    symphony.cron_next('@every 1s', '2026-05-05 00:00:00.5Z'),
    '2026-05-05 00:00:01Z', '@every runs once a second at most'
);

select * from finish();
rollback;
