-- cron_upcoming: it lists as many runs as asked for, each the next of the one before.
begin;
select plan(7);
set local timezone = 'UTC';

select results_eq(
    $$select * from symphony.cron_upcoming('0 9 * * mon-fri', 3, '2026-05-07 12:00Z', 'Europe/Paris')$$,
    $$values ('2026-05-08 07:00Z'::timestamptz), ('2026-05-11 07:00Z'), ('2026-05-12 07:00Z')$$,
    'the runs of a working week'
);
select is(
    (select count(*) from symphony.cron_upcoming('@hourly')),
    5::bigint, 'five runs are listed unless told'
);

select tap.set_clock('2026-05-05 12:34Z');
select is(
    (select min(run) from symphony.cron_upcoming('@hourly') as run),
    '2026-05-05 13:00Z', 'runs are listed from now on unless told'
);

select throws_ok($$select symphony.cron_upcoming('@hourly', 0)$$, '22023', null, '0 runs are too few');
select throws_ok($$select symphony.cron_upcoming('@hourly', 1001)$$, '22023', null, '1001 runs are too many');
select throws_ok($$select symphony.cron_upcoming('@hourly', null)$$, '22023', null, 'null is not a number');
select throws_ok(
    $$select symphony.cron_upcoming('61 * * * *')$$,
    '22023', null, 'a wrong expression is refused'
);

select * from finish();
rollback;
