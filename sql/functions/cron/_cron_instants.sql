create or replace function symphony._cron_instants(
    clock    timestamp,
    timezone text,
    out first_at  timestamptz,
    out last_at   timestamptz,
    out change_at timestamptz
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
/*
 * "at time zone" takes a skipped time for one that many minutes after the
 * change, and a repeated time for its second occurrence.  No change of clocks
 * exceeds a day.
 */
declare
    c_day constant interval := '26 hours';
    v_at    timestamptz := clock at time zone timezone;
    v_moved interval := make_interval(
        secs => extract(epoch from (v_at at time zone timezone) - clock));
begin
    if v_moved > interval '0' then
        change_at := symphony._cron_change(v_at - v_moved, v_at, timezone);
        return;
    end if;
    first_at := v_at;
    last_at := v_at;
    v_moved := make_interval(
        secs => extract(epoch from ((v_at - c_day) at time zone timezone) - (clock - c_day)));
    if v_moved > interval '0' and (v_at - v_moved) at time zone timezone = clock then
        first_at := v_at - v_moved;
        change_at := symphony._cron_change(first_at, last_at, timezone);
    end if;
end;
$$;

comment on function symphony._cron_instants is
$$When a zone's clocks show a given time: once, twice or never.

Arguments  clock - the time shown
           timezone
Returns    one row
           first_at, last_at - they differ if the time is repeated, and are null if it is skipped
           change_at - when the clocks were changed, if they repeat or skip the time
Access     private$$;
