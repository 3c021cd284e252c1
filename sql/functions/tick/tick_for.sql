create or replace procedure symphony.tick_for(
    duration interval default '60.5 seconds',
    pause    interval default '1 second'
)
language plpgsql
as $$
/*
 * A procedure that commits may not pin its search_path, so every name is qualified.
 */
declare
    v_until    pg_catalog.timestamptz := pg_catalog.clock_timestamp() operator(pg_catalog.+) duration;
    v_report   pg_catalog.jsonb;
    v_is_late  boolean;
    v_is_dirty boolean := false;
begin
    while pg_catalog.clock_timestamp() operator(pg_catalog.<) v_until loop
        v_report := symphony.tick(purge => false);
        commit;
        v_is_late := coalesce((v_report operator(pg_catalog.->>) 'has_more')::boolean, false);
        v_is_dirty := v_is_dirty or coalesce((v_report operator(pg_catalog.->>) 'purge_due')::boolean, false);
        if v_is_dirty then
            select purge.has_more into v_is_dirty from symphony.purge() as purge;
            commit;
        end if;
        if not v_is_late and not v_is_dirty then
            perform pg_catalog.pg_sleep_for(least(
                pause, v_until operator(pg_catalog.-) pg_catalog.clock_timestamp()));
        end if;
    end loop;
end;
$$;

comment on procedure symphony.tick_for is
$$Call tick() again and again, and purge() when that is due, each time in a transaction of its own.
This is for job schedulers that cannot do it every second.

Arguments  duration - for how long
           pause - the time between two ticks, unless more is due
Access     operator$$;
