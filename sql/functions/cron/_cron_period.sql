create or replace function symphony._cron_period(expression text)
returns bigint
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_part   text[] := regexp_match(expression collate "C", '^\s*@every\s*(.*?)\s*$', 'i');
    v_period bigint;
begin
    if v_part is null then
        return null;
    end if;
    if v_part[1] ~ '^([0-9]{1,6}[dhms])+$' then
        v_period := (
            select sum(part[1]::bigint * case part[2]
                when 'd' then 86400 when 'h' then 3600 when 'm' then 60 else 1 end)
            from regexp_matches(v_part[1], '([0-9]+)([dhms])', 'g') as part);
    end if;
    if coalesce(v_period, 0) = 0 then
        perform symphony._cron_reject('interval', v_part[1],
                                      'It is not a positive number of d, h, m and s.');
    end if;
    return v_period;
end;
$$;

comment on function symphony._cron_period is
$$Read @every 1h30m.

Arguments  expression - any cron expression
Returns    seconds; null: the expression is not an @every
Raises     22023 invalid_parameter_value
Access     private$$;
