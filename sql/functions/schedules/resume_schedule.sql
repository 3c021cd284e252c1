create or replace function symphony.resume_schedule(schedule_name text)
returns timestamptz
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_schedule symphony.schedule := symphony._find_schedule(resume_schedule.schedule_name);
    v_next     timestamptz := v_schedule.next_run_at;
begin
    if not v_schedule.enabled then
        perform symphony._refuse_message(
            v_schedule.message_type, v_schedule.body, v_schedule.queue_name, v_schedule.priority,
            null, null, null, v_schedule.headers);
        v_next := symphony._next_run(v_schedule, symphony._now());
        update symphony.schedule as s
        set enabled = true, next_run_at = v_next, last_error = null,
            updated_at = symphony._now(), paused_at = null, paused_by = null
        where s.schedule_name = v_schedule.schedule_name;
        perform symphony._audit('resume_schedule', jsonb_build_object('schedule_name', schedule_name));
    end if;
    return v_next;
end;
$$;

comment on function symphony.resume_schedule is
$$Let a paused or broken schedule run again, from its next time on: what was missed stays out.

Arguments  schedule_name - the schedule
Returns    when it runs next; null: never again
Raises     SY006 unknown_schedule
           what create_schedule() raises - it is still broken
Writes     symphony.schedule, symphony.audit
Access     operator$$;
