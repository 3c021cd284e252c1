create or replace function symphony._cron_local(cron record, after timestamp)
returns timestamp
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_from   timestamp := after + interval '1 second';
    v_hour   integer := extract(hour from v_from);
    v_minute integer := extract(minute from v_from);
    v_date   date := symphony._cron_date(cron, v_from::date);
    v_second integer;
begin
    if v_date = v_from::date then
        v_second := coalesce(
            case when v_hour = any (cron.hours) and v_minute = any (cron.minutes) then
                v_hour * 3600 + v_minute * 60
                + (select min(s) from unnest(cron.seconds) as s
                   where s >= extract(second from v_from))
            end,
            case when v_hour = any (cron.hours) then
                v_hour * 3600 + cron.seconds[1]
                + (select min(m) from unnest(cron.minutes) as m where m > v_minute) * 60
            end,
            (select min(h) from unnest(cron.hours) as h where h > v_hour) * 3600
            + cron.minutes[1] * 60 + cron.seconds[1]);
        if v_second is null then
            v_date := symphony._cron_date(cron, v_date + 1);
        end if;
    end if;
    return v_date + make_interval(secs => coalesce(
        v_second, cron.hours[1] * 3600 + cron.minutes[1] * 60 + cron.seconds[1]));
end;
$$;

comment on function symphony._cron_local is
$$The next time on the clock at which a job runs, as if clocks were never changed.

Arguments  cron - from _cron_parse()
           after - whole seconds
Returns    a time later than after; null: the job never runs
Access     private$$;
