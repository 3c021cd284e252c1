create or replace function symphony._fire(schedule symphony.schedule, now timestamptz)
returns integer
language plpgsql
volatile
as $$
/*
 * Runs were missed when a later one is due as well.  A run that has been due for a minute or less
 * is in time; skip leaves out the others.
 */
declare
    v_run   timestamptz := schedule.next_run_at;
    v_next  timestamptz := symphony._next_run(schedule, v_run);
    v_count integer := 0;
    v_sent  integer;
    v_fired integer := 0;
begin
    if v_next <= now and schedule.catch_up <> 'all' then
        v_run := symphony._last_run(schedule, now);
    end if;
    if schedule.catch_up = 'skip' and v_run < now - interval '1 minute' then
        perform symphony._record_run(schedule, v_run, now, 'missed');
    else
        loop
            v_count := v_count + 1;
            v_sent := symphony._record_run(schedule, v_run, now, null);
            v_fired := v_fired + v_sent;
            schedule.run_count := schedule.run_count + v_sent;
            v_next := symphony._next_run(schedule, v_run);
            exit when v_next is null or v_next > now or v_count >= schedule.catch_up_limit
                or schedule.catch_up <> 'all';
            v_run := v_next;
        end loop;
        if schedule.catch_up = 'all' and v_next <= now then
            perform symphony._record_run(schedule, v_next, now, 'more were missed than catch_up_limit');
        end if;
    end if;

    update symphony.schedule as s
    set next_run_at = symphony._next_run(s, greatest(now, v_run))
    where s.schedule_name = schedule.schedule_name;
    return v_fired;
end;
$$;

comment on function symphony._fire is
$$Run a schedule that is due, make up for the runs it missed as it wishes, and compute the next.

Arguments  schedule - its locked row
           now
Returns    how many messages were enqueued
Access     private$$;
