create or replace function symphony._cron_field(
    field    text,
    low      integer,
    high     integer,
    value    text,
    hash_key text
)
returns integer[]
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_item   text;
    v_code   integer;
    v_values integer[] := '{}';
begin
    if value = '*' or (value = '?' and field in ('day of month', 'weekday')) then
        return array(select generate_series(low, high));
    end if;
    foreach v_item in array string_to_array(value, ',') loop
        v_code := case
            when v_item ~ '^[0-9]+$' then symphony._cron_value(field, low, high, v_item)
            when field in ('day of month', 'weekday') then symphony._cron_day_code(field, v_item)
        end;
        v_values := v_values || case
            when v_code is null then symphony._cron_item(field, low, high, v_item, hash_key)
            when v_code = 7 and field = 'weekday' then '{0}'
            else array[v_code]
        end;
    end loop;
    return array(select distinct v from unnest(v_values) as v order by v);
end;
$$;

comment on function symphony._cron_field is
$$The values that a cron field allows.

Arguments  field - its name, for errors
           low - the least value
           high - the greatest value
           value - what was written, in capitals
           hash_key - what H is drawn from
Returns    values and codes as _cron_parse() describes them, in ascending order, each once
Raises     22023 invalid_parameter_value
Access     private$$;
