create or replace function symphony.schedule_runs(schedule_name text, n integer default 10)
returns setof symphony.schedule_run
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform symphony._check_number('n', n, 10000, 'It is the number of runs to list.',
                                   'Leave it out for the last 10.');
    return query
    select r.*
    from symphony.schedule_run as r
    where r.schedule_name = schedule_runs.schedule_name
    order by r.scheduled_at desc
    limit n;
    if not found and not exists (
        select from symphony.schedule as s where s.schedule_name = schedule_runs.schedule_name)
    then
        perform symphony._refuse_schedule(schedule_runs.schedule_name);
    end if;
end;
$$;

comment on function symphony.schedule_runs is
$$The last runs of a schedule, the newest first. They are kept for 30 days.

Arguments  schedule_name - the schedule
           n - how many, 1 to 10000
Returns    the columns of symphony.schedule_run
Raises     SY006 unknown_schedule
           22023 invalid_parameter_value
Access     operator, observer$$;
