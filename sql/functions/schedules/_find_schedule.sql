create or replace function symphony._find_schedule(schedule_name text)
returns symphony.schedule
language plpgsql
volatile
as $$
declare
    v_schedule symphony.schedule;
begin
    select * into v_schedule
    from symphony.schedule as s
    where s.schedule_name = _find_schedule.schedule_name
    for update;
    if not found then
        perform symphony._refuse_schedule(schedule_name);
    end if;
    return v_schedule;
end;
$$;

comment on function symphony._find_schedule is
$$A schedule by its name, locked.

Arguments  schedule_name
Raises     SY006 unknown_schedule
Access     private$$;
