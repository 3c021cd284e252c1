create or replace function symphony._follow_clock_schedules(now timestamptz, after_name text)
returns text
language plpgsql
volatile
as $$
/*
 * Nothing in a schedule tells that its next run was counted from a clock that was ahead, so all are
 * counted anew, in the order of their names.
 */
declare
    c_most     constant integer := 1000;
    v_schedule symphony.schedule;
    v_count    integer := 0;
begin
    for v_schedule in
        select s.* from symphony.schedule as s
        where s.enabled and s.schedule_name > coalesce(after_name, '')
        order by s.schedule_name
        limit c_most
        for update skip locked
    loop
        v_count := v_count + 1;
        begin
            update symphony.schedule as s
            set next_run_at = least(s.next_run_at, symphony._next_run(s, _follow_clock_schedules.now))
            where s.schedule_name = v_schedule.schedule_name;
        exception when invalid_parameter_value then
            null;    -- it is disabled when it is due
        end;
    end loop;
    return case when v_count >= c_most then v_schedule.schedule_name end;
end;
$$;

comment on function symphony._follow_clock_schedules is
$$Set right when schedules run next, after the clock was set back.

Arguments  now
           after_name - those behind this one; null: from the first on
Returns    null: nothing is left; else the last of 1,000, and others may be left
Writes     symphony.schedule
Access     private$$;
