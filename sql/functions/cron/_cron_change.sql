create or replace function symphony._cron_change(
    after    timestamptz,
    until    timestamptz,
    timezone text
)
returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_old   interval := (after at time zone timezone) - (after at time zone 'UTC');
    v_low   bigint := floor(extract(epoch from after));
    v_high  bigint := extract(epoch from until);
    v_probe timestamptz;
begin
    while v_high - v_low > 1 loop
        v_probe := to_timestamp((v_low + v_high) / 2);
        if (v_probe at time zone timezone) - (v_probe at time zone 'UTC') = v_old then
            v_low := (v_low + v_high) / 2;
        else
            v_high := (v_low + v_high) / 2;
        end if;
    end loop;
    return to_timestamp(v_high);
end;
$$;

comment on function symphony._cron_change is
$$The instant at which a zone's clocks are changed, found by halving.

Arguments  after - it is before the only change between the two, in whole seconds
           until - it is at or after that change, in whole seconds
           timezone
Returns    the first instant with the new offset
Access     private$$;
