create or replace function symphony.schedule_preview(
    schedule text,
    n        integer default 5,
    timezone text default null
)
returns table (run_at timestamptz, local_time timestamp, utc_offset interval, changes_clock boolean)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
    v_schedule symphony.schedule;
    v_before   interval;
begin
    if n is null or n not between 1 and 1000 then
        raise exception 'n must be between 1 and 1000, not %', coalesce(n::text, 'null')
            using errcode = '22023',
                  detail  = 'It is the number of runs to compute.',
                  hint    = 'Leave it out for the next 5.';
    end if;
    select * into v_schedule from symphony.schedule as s
    where s.schedule_name = schedule_preview.schedule;
    if not found then
        v_schedule.schedule_name := '';
        v_schedule.schedule_type := 'cron';
        v_schedule.schedule_config := jsonb_build_object('expression', schedule_preview.schedule);
        v_schedule.timezone := 'UTC';
        v_schedule.run_count := 0;
    end if;
    v_schedule.timezone := coalesce(schedule_preview.timezone, v_schedule.timezone);
    run_at := symphony._now();
    perform symphony._cron_check(schedule, run_at, v_schedule.timezone);
    v_before := run_at at time zone v_schedule.timezone - run_at at time zone 'UTC';
    for v_count in 1 .. n loop
        run_at := symphony._next_run(v_schedule, run_at);
        exit when run_at is null;
        local_time := run_at at time zone v_schedule.timezone;
        utc_offset := local_time - run_at at time zone 'UTC';
        changes_clock := utc_offset <> v_before;
        v_before := utc_offset;
        return next;
        v_schedule.run_count := v_schedule.run_count + 1;
    end loop;
end;
$$;

comment on function symphony.schedule_preview(text, integer, text) is
$$The coming runs of a schedule, or of a cron expression.

Arguments  schedule - the name of a schedule, or else a cron expression; n - how many, 1 to 1000;
           timezone - null: that of the schedule, UTC for an expression
Returns    run_at; local_time on the clocks of the zone; utc_offset; changes_clock - the clocks
           were changed since the run before
Raises     22023 bad argument
Access     producer, operator, observer$$;

revoke execute on function symphony.schedule_preview(text, integer, text) from public;
