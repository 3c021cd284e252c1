create or replace function symphony.run_schedule_now(schedule_name text)
returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_schedule symphony.schedule := symphony._find_schedule(run_schedule_now.schedule_name);
    v_now      timestamptz := symphony._now();
begin
    v_schedule.overlap := 'allow';
    v_schedule.jitter := '0';
    perform symphony._record_run(v_schedule, v_now, v_now, null);
    perform symphony._audit('run_schedule_now', jsonb_build_object('schedule_name', schedule_name));
    return (select s.last_message_id from symphony.schedule as s
            where s.schedule_name = v_schedule.schedule_name);
end;
$$;

comment on function symphony.run_schedule_now is
$$Enqueue the message of a schedule now, beside its times. It counts as a run.

Arguments  schedule_name - the schedule
Returns    the id of the message
Raises     SY006 unknown_schedule
           what enqueue() raises
Writes     symphony.schedule, symphony.schedule_run, and what enqueue() writes, symphony.audit
Access     operator$$;
