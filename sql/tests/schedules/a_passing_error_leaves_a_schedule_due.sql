-- What is wrong with a session or the server does not disable a schedule: the next tick tries again.
begin;
select plan(13);

set local client_min_messages = error;
select tap.set_clock('2027-03-01 08:00Z');
select symphony.create_schedule('job', 'Poll', 'cron', '{"expression": "0 9 * * *"}');
select tap.set_clock('2027-03-01 09:00Z');

-- A trigger that fails with the state in test.state.
create function pg_temp.fail() returns trigger language plpgsql as $$
begin
    raise exception 'a failure' using errcode = current_setting('test.state');
end;
$$;
create trigger fail before insert on symphony.message execute function pg_temp.fail();

create function pg_temp.tick_failing_with(state text) returns text language plpgsql as $$
begin
    perform set_config('test.state', state, true), symphony.tick_schedules();
    return (select concat_ws(' ', enabled, next_run_at = '2027-03-01 09:00Z', last_error)
            from symphony.schedule);
end;
$$;

select is(pg_temp.tick_failing_with('40P01'), 't t', 'a schedule is due after a deadlock');
select is(pg_temp.tick_failing_with('40001'), 't t', 'a schedule is due after a serialization failure');
select is(pg_temp.tick_failing_with('55P03'), 't t', 'a schedule is due after a lock timeout');
select is(pg_temp.tick_failing_with('53100'), 't t', 'a schedule is due after a full disk');
select is(pg_temp.tick_failing_with(state), 't t', format('a schedule is due after a %s', state))
from unnest('{25006,42501,54001,SY011,SY012,XX000}'::text[]) as state;

alter table symphony.message disable trigger fail;
select is(symphony.tick_schedules(), 1, 'the run is fired when the error has passed');

alter table symphony.message enable trigger fail;
select tap.set_clock('2027-03-02 09:00Z');
select set_config('test.state', '22012', true);
select is(symphony.tick_schedules(), 0, 'what is wrong with its values fires nothing');
select results_eq(
    $$select enabled, last_error from symphony.schedule$$,
    $$values (false, '22012: a failure')$$,
    'what is wrong with its values disables the schedule'
);

select * from finish();
rollback;
