-- clock_changes: every change that the time zone data know is found, at its moment.
begin;
select plan(9);

select results_eq(
    $$select * from symphony.clock_changes('Europe/Paris', '2027-01-01Z', '2028-01-01Z')$$,
    $$values ('2027-03-28 01:00Z'::timestamptz, '2027-03-28 02:00'::timestamp, '2027-03-28 03:00'::timestamp),
             ('2027-10-31 01:00Z', '2027-10-31 03:00', '2027-10-31 02:00')$$,
    'clocks change by an hour twice a year'
);
select results_eq(
    $$select * from symphony.clock_changes('Australia/Lord_Howe', '2027-01-01Z', '2028-01-01Z')$$,
    $$values ('2027-04-03 15:00Z'::timestamptz, '2027-04-04 02:00'::timestamp, '2027-04-04 01:30'::timestamp),
             ('2027-10-02 15:30Z', '2027-10-03 02:00', '2027-10-03 02:30')$$,
    'clocks change by half an hour'
);
select results_eq(
    $$select * from symphony.clock_changes('Pacific/Apia', '2011-12-01Z', '2012-01-01Z')$$,
    $$values ('2011-12-30 10:00Z'::timestamptz,
              '2011-12-30 00:00'::timestamp, '2011-12-31 00:00'::timestamp)$$,
    'clocks skip a day'
);
select results_eq(
    $$select changed_at from symphony.clock_changes('Africa/Casablanca', '2026-01-01Z', '2027-01-01Z')$$,
    $$values ('2026-02-15 02:00Z'::timestamptz), ('2026-03-22 02:00Z')$$,
    'the month of a change is not the same every year'
);
select is_empty(
    $$select from symphony.clock_changes('UTC', '2000-01-01Z', '2100-01-01Z')$$,
    'UTC has no changes'
);
select is_empty(
    $$select from symphony.clock_changes('Europe/Paris', '2027-03-28 01:00Z', '2027-03-29Z')$$,
    'after is exclusive'
);
select isnt_empty(
    $$select from symphony.clock_changes('Europe/Paris', '2027-03-28 00:59:59Z', '2027-03-28 01:00Z')$$,
    'until is inclusive'
);
select is_empty(
    $$select from symphony.clock_changes('Europe/Paris', '2027-05-01Z', '2027-01-01Z')$$,
    'a range that goes backwards is empty'
);
select is(count(*), 1000::bigint, 'changes are found far away, too')
from symphony.clock_changes('Europe/Paris', '2100-01-01Z', '2600-01-01Z');

select * from finish();
rollback;
