create or replace function symphony._last_run(schedule symphony.schedule, now timestamptz)
returns timestamptz
language plpgsql
stable
as $$
/*
 * Look back a little, then further; the last run is found without walking through all that
 * a long pause has left out.
 */
declare
    v_back interval;
    v_run  timestamptz;
    v_next timestamptz;
begin
    foreach v_back in array '{1 minute,1 hour,1 day,31 days,366 days,10 years}'::interval[] loop
        v_run := symphony._next_run(schedule, greatest(now - v_back, schedule.next_run_at - interval '1 second'));
        if v_run <= now then
            loop
                v_next := symphony._next_run(schedule, v_run);
                exit when v_next is null or v_next > now;
                v_run := v_next;
            end loop;
            return v_run;
        end if;
    end loop;
    return schedule.next_run_at;
end;
$$;

comment on function symphony._last_run(symphony.schedule, timestamptz) is
$$The last run of a schedule that is due.

Arguments  schedule - one that is due; now
Access     private$$;

revoke execute on function symphony._last_run(symphony.schedule, timestamptz) from public;
