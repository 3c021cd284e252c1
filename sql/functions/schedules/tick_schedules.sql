create or replace function symphony.tick_schedules()
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
/*
 * A schedule is locked, and whoever comes second finds next_run_at moved on.  Each one fires
 * in a block of its own: a broken one is disabled with its error, and the others go on.  It is broken
 * if its values cannot be, or if its queue and routes do not take its message.  Any other error, of
 * the session or the server, leaves the schedule due.
 */
declare
    v_now      timestamptz := symphony._now();
    v_schedule symphony.schedule;
    v_fired    integer := 0;
begin
    for v_schedule in
        select s.*
        from symphony.schedule as s
        where s.enabled and s.next_run_at <= v_now
        order by s.next_run_at
        limit 1000
        for update skip locked
    loop
        begin
            v_fired := v_fired + symphony._fire(v_schedule, v_now);
        exception when others then
            if sqlstate ~ '^(22|SY001|SY004|SY022)' then
                update symphony.schedule as s
                set enabled = false, last_error = format('%s: %s', sqlstate, sqlerrm)
                where s.schedule_name = v_schedule.schedule_name;
            else
                raise warning 'schedule "%" is left for the next tick: %',
                              v_schedule.schedule_name, sqlerrm;
            end if;
        end;
        exit when v_fired >= 1000;    -- so that a tick stays short
    end loop;
    return v_fired;
end;
$$;

comment on function symphony.tick_schedules is
$$Enqueue the messages of the schedules that are due. tick() calls it; it may be called from many
places at once.

Returns    how many messages were enqueued. If it is 1,000 or more, other schedules may be due still
Writes     symphony.schedule, symphony.schedule_run, and what enqueue() writes
Access     consumer, operator$$;
