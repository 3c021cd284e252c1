create or replace function symphony._last_run(schedule symphony.schedule, now timestamptz)
returns timestamptz
language plpgsql
stable
as $$
/*
 * The time in which it must lie is halved, so the runs that a long gap left out are not walked
 * through.
 */
declare
    v_run  timestamptz := schedule.next_run_at;
    v_end  timestamptz := now;
    v_next timestamptz := symphony._next_run(schedule, v_run);
    v_half timestamptz;
begin
    while v_next <= v_end loop
        v_run := v_next;
        v_half := v_run + (v_end - v_run) / 2;
        v_next := symphony._next_run(schedule, v_half);
        if v_next is null or v_next > v_end then
            v_end := v_half;
            v_next := symphony._next_run(schedule, v_run);
        end if;
    end loop;
    return v_run;
end;
$$;

comment on function symphony._last_run is
$$The last run of a schedule that is due.

Arguments  schedule - one that is due
           now
Access     private$$;
