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
    v_month  date := date_trunc('month', day::timestamp);
    v_length integer;
    v_days   integer[];
    v_found  integer;
begin
    for v_try in 0..480 loop
        if extract(month from v_month)::integer = any (cron.months) then
            v_length := (v_month + interval '1 month')::date - v_month;
            v_days := cron.days;
            if 100 <= any (v_days) then
                v_days := v_days || symphony._cron_nearest_weekdays(v_days, v_month, v_length);
            end if;
            select min(n) into v_found
            from generate_series(greatest(1, day - v_month + 1), v_length) as n
            cross join lateral (
                select (extract(dow from v_month)::integer + n - 1) % 7) as w (weekday)
            cross join lateral (
                select v_days && array[n, n - v_length],
                       cron.weekdays && array[weekday, weekday + 10 * ((n + 6) / 7),
                                              case when n + 7 > v_length then weekday + 60 end]
            ) as fits (by_day, by_weekday)
            where by_day and by_weekday or cron.either_day and (by_day or by_weekday);
            if v_found is not null then
                return v_month + v_found - 1;
            end if;
        end if;
        v_month := v_month + interval '1 month';
    end loop;
    return null;
end;
$$;

comment on function symphony._cron_date(record, date) is
$$The first day, not before a given one, on which a job runs.

Arguments  cron - from _cron_parse(); day - where to start
Returns    the date; null if there is none, ever
Access     private$$;

revoke execute on function symphony._cron_date(record, date) from public;
