create or replace function symphony._cron_value(field text, low integer, high integer, value text)
returns integer
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_number integer := case
        when value ~ '^[0-9]{1,4}$' then value::integer
        when field = 'month'
            then array_position('{JAN,FEB,MAR,APR,MAY,JUN,JUL,AUG,SEP,OCT,NOV,DEC}', value)
        when field = 'weekday'
            then array_position('{SUN,MON,TUE,WED,THU,FRI,SAT}', value) - 1
    end;
begin
    if v_number between low and high or (field = 'weekday' and v_number = 7) then
        return v_number;
    end if;
    perform symphony._cron_reject(field, value, case
        when value ~ '^[0-9]+$'
            then format('It is not between %s and %s.',
                        low, case field when 'weekday' then 7 else high end)
        else 'It is neither a number nor a name here.'
    end);
end;
$$;

comment on function symphony._cron_value is
$$Read one number or name of a cron field.

Arguments  field - its name, for errors
           low - the least value
           high - the greatest value
           value - in capitals
Returns    the number; Sunday is 0 or 7, as written
Raises     22023 invalid_parameter_value
Access     private$$;
