create or replace function symphony.schedule_preview(
    schedule text,
    n        integer default 5,
    timezone text default null,
    after    timestamptz default null
)
returns table (run_at timestamptz, local_time timestamp, utc_offset interval, changes_clock boolean,
               zone text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
    v_schedule symphony.schedule;
    v_before   timestamptz := coalesce(after, symphony._now());
begin
    perform symphony._check_number('n', n, 1000, 'It is the number of runs to compute.',
                                   'Leave it out for the next 5.');
    select * into v_schedule from symphony.schedule as s
    where s.schedule_name = schedule_preview.schedule;
    if not found then
        if schedule !~ '@|\S\s+\S' then
            perform symphony._refuse_schedule(schedule);
        end if;
        v_schedule.schedule_name := '';
        v_schedule.schedule_type := 'cron';
        v_schedule.schedule_config := jsonb_build_object('expression', schedule_preview.schedule);
        v_schedule.timezone := 'UTC';
        v_schedule.run_count := 0;
    end if;
    v_schedule.timezone := coalesce(schedule_preview.timezone, v_schedule.timezone);
    zone := v_schedule.timezone;
    perform symphony._cron_check(schedule, v_before, zone);
    for v_count in 1 .. n loop
        run_at := symphony._next_run(v_schedule, v_before);
        exit when run_at is null;
        local_time := run_at at time zone zone;
        utc_offset := local_time - run_at at time zone 'UTC';
        changes_clock := exists (select from symphony.clock_changes(zone, v_before, run_at));
        v_before := run_at;
        return next;
        v_schedule.run_count := v_schedule.run_count + 1;
    end loop;
end;
$$;

comment on function symphony.schedule_preview is
$$The coming runs of a schedule, or of a cron expression.

Arguments  schedule - the name of a schedule, or else a cron expression
           n - how many, 1 to 1000
           timezone - whose clocks it goes by; null: that of the schedule, UTC for an expression
           after - the runs are later than this; null: now
Returns    a row for each run
           run_at - when it is
           local_time - the same on the clocks of the zone
           utc_offset - how far these are ahead of UTC
           changes_clock - the clocks were changed since the run before, see clock_changes()
           zone - the name of the zone
Raises     SY006 unknown_schedule - it is not a cron expression either
           22023 invalid_parameter_value
Access     producer, operator, observer$$;
