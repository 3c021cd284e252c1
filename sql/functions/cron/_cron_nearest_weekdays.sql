create or replace function symphony._cron_nearest_weekdays(
    days   integer[],
    month  date,
    length integer
)
returns integer[]
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    return array(
        select case extract(dow from month + wanted - 1)
                   when 6 then case wanted when 1 then 3 else wanted - 1 end
                   when 0 then case wanted when length then wanted - 2 else wanted + 1 end
                   else wanted
               end
        from unnest(days) as code
        cross join lateral (select case code when 100 then length else code - 100 end) as w (wanted)
        where code >= 100 and wanted <= length);
end;
$$;

comment on function symphony._cron_nearest_weekdays is
$$The days of a month that LW and 15W name: the nearest Monday to Friday, never in another month.

Arguments  days - codes of _cron_parse()
           month - its first day
           length - how many days it has
Returns    days of the month
Access     private$$;
