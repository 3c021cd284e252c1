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
    v_until pg_catalog.timestamptz := pg_catalog.clock_timestamp() operator(pg_catalog.+) duration;
begin
    while pg_catalog.clock_timestamp() operator(pg_catalog.<) v_until loop
        perform symphony.tick();
        commit;
        perform pg_catalog.pg_sleep_for(pause);
    end loop;
end;
$$;

comment on procedure symphony.tick_for(interval, interval) is
$$Call tick() again and again, each time in a transaction of its own. This is for job schedulers that
cannot do it every second.

Arguments  duration - for how long
           pause - the time between two ticks
Access     operator$$;

revoke execute on procedure symphony.tick_for(interval, interval) from public;
