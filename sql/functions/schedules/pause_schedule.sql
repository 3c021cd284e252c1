create or replace function symphony.pause_schedule(schedule_name text)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform symphony._find_schedule(pause_schedule.schedule_name);
    update symphony.schedule as s
    set enabled = false, updated_at = symphony._now(), paused_at = symphony._now(),
        paused_by = symphony._signature()
    where s.schedule_name = pause_schedule.schedule_name and s.enabled;
    if not found then
        return false;
    end if;
    perform symphony._audit('pause_schedule', jsonb_build_object('schedule_name', schedule_name));
    return true;
end;
$$;

comment on function symphony.pause_schedule is
$$Stop a schedule. Its runs are left out until resume_schedule().

Arguments  schedule_name - the schedule
Returns    true, or false if it was paused already
Raises     SY006 unknown_schedule
Writes     symphony.schedule, symphony.audit
Access     operator$$;
