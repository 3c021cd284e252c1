create or replace function symphony.schedule_status(schedule_name text default null)
returns setof symphony.schedule
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select s.*
    from symphony.schedule as s
    where s.schedule_name = schedule_status.schedule_name
       or schedule_status.schedule_name is null
    order by s.schedule_name;
    if not found and schedule_status.schedule_name is not null then
        perform symphony._refuse_schedule(schedule_status.schedule_name);
    end if;
end;
$$;

comment on function symphony.schedule_status is
$$The schedules: what they enqueue and when, when they ran last, and in which state they are.

Arguments  schedule_name - the schedule; null: all of them
Returns    the columns of symphony.schedule, by name; among them
           state - on; paused; broken: last_error says why; done: it will not run again
           paused_at - since when it is paused; null: it is not
           paused_by - who paused it: the role, and the actor if one was told
Raises     SY006 unknown_schedule
Access     operator, observer$$;
