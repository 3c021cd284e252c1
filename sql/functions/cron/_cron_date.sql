create or replace function symphony._cron_date(cron record, day date)
returns date
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
/*
 * Every date there is comes back within 40 years: the rarest, a 29 February on
 * a given weekday, takes 28, and 40 across a century without a leap day.
 */
declare
    v_first      date := date_trunc('month', day::timestamp);
    v_length     integer;
    v_days       integer[];
    v_weekday    integer;
    v_by_day     boolean;
    v_by_weekday boolean;
begin
    for v_month in 0..480 loop
        if extract(month from v_first)::integer = any (cron.months) then
            v_length := (v_first + interval '1 month')::date - v_first;
            v_days := cron.days;
            if 100 <= any (v_days) then
                v_days := v_days || symphony._cron_nearest_weekdays(v_days, v_first, v_length);
            end if;
            for n in greatest(1, day - v_first + 1)..v_length loop
                v_weekday := (extract(dow from v_first)::integer + n - 1) % 7;
                v_by_day := n = any (v_days) or n - v_length = any (v_days);
                v_by_weekday := v_weekday = any (cron.weekdays)
                    or v_weekday + 10 * ((n + 6) / 7) = any (cron.weekdays)
                    or n + 7 > v_length and v_weekday + 60 = any (cron.weekdays);
                if v_by_day and v_by_weekday or cron.either_day and (v_by_day or v_by_weekday) then
                    return v_first + n - 1;
                end if;
            end loop;
        end if;
        v_first := v_first + interval '1 month';
    end loop;
    return null;
end;
$$;

comment on function symphony._cron_date is
$$The first day, not before a given one, on which a job runs.

Arguments  cron - from _cron_parse()
           day - where to start
Returns    the date; null: the job never runs
Access     private$$;
