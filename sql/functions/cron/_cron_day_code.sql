create or replace function symphony._cron_day_code(field text, item text)
returns integer
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_part text[];
begin
    if field = 'day of month' then
        v_part := regexp_match(item, '^L(?:-([0-9]{1,2}))?$');
        if v_part[1]::integer > 30 then
            perform symphony._cron_reject(field, item, 'No month has more than 31 days.');
        elsif v_part is not null then
            return -coalesce(v_part[1]::integer, 0);
        elsif item = 'LW' then
            return 100;
        elsif item ~ '^[0-9]+W$' then
            return 100 + symphony._cron_value(field, 1, 31, rtrim(item, 'W'));
        end if;
    elsif field = 'weekday' then
        v_part := regexp_match(item, '^([A-Z0-9]+)#([1-5])$');
        if v_part is not null then
            return symphony._cron_value(field, 0, 6, v_part[1]) % 7 + 10 * v_part[2]::integer;
        end if;
        v_part := regexp_match(item, '^(?:L([A-Z0-9]+)|([A-Z0-9]+)L)$');
        if v_part is not null then
            return symphony._cron_value(field, 0, 6, coalesce(v_part[1], v_part[2])) % 7 + 60;
        end if;
    end if;
    return null;
end;
$$;

comment on function symphony._cron_day_code is
$$Read what depends on the month: L, L-3, LW and 15W as day of month, FRI#2 and 5L as weekday.

Arguments  field
           item - in capitals
Returns    the code that _cron_parse() describes; null: the item is of another form
Raises     22023 invalid_parameter_value
Access     private$$;
