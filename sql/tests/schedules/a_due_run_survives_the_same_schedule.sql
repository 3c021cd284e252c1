-- create_schedule with the same times, as at every deployment: a run that is due stays due.
begin;
select plan(8);

select tap.set_clock('2027-03-01 08:00Z');
create function pg_temp.created(message_type text, expression text default '0 9 * * *') returns timestamptz
language sql as $$
    select symphony.create_schedule('job', message_type, 'cron', jsonb_build_object('expression', expression))
$$;
select is(pg_temp.created('Poll'), '2027-03-01 09:00Z', 'a run is due at nine');
select tap.set_clock('2027-03-01 10:00Z');
select is(
    pg_temp.created('Scan'),
    '2027-03-01 09:00Z', 'a run that nobody has fired is still due when the message is another'
);
select is(symphony.tick_schedules(), 1, 'it is made up for');
select results_eq(
    $$select message_type, headers ->> 'scheduled_at' from symphony.message$$,
    $$values ('Scan', '2027-03-01T09:00:00+00:00')$$, 'the new message is sent'
);
select is(pg_temp.created('Scan'), '2027-03-02 09:00Z', 'the run is made up for once');
select tap.set_clock('2027-03-02 10:00Z');
select is(
    pg_temp.created('Scan', '0 12 * * *'),
    '2027-03-02 12:00Z', 'a schedule with other times begins anew'
);
select symphony.pause_schedule('job');
select tap.set_clock('2027-03-03 13:00Z');
select is(pg_temp.created('Poll', '0 12 * * *'), '2027-03-04 12:00Z', 'what was missed in a pause stays out');
select is(enabled, false, 'the pause goes on') from symphony.schedule;

select * from finish();
rollback;
