create or replace function symphony.remove_schedule(schedule_name text)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_found boolean;
begin
    delete from symphony.schedule as s where s.schedule_name = remove_schedule.schedule_name;
    v_found := found;
    delete from symphony.schedule_run as r where r.schedule_name = remove_schedule.schedule_name;
    if v_found then
        perform symphony._audit('remove_schedule', jsonb_build_object('schedule_name', schedule_name));
    end if;
    return v_found;
end;
$$;

comment on function symphony.remove_schedule is
$$Remove a schedule and its history. Messages it has enqueued stay.

Arguments  schedule_name - the schedule
Returns    true, or false if there was no such schedule
Writes     symphony.schedule, symphony.schedule_run, symphony.audit
Access     operator$$;
