create or replace function symphony._cron_reject(field text, value text, reason text)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception 'invalid % "%" in cron expression', field, value
        using errcode = '22023',
              detail  = reason,
              hint    = case field
        when 'second' then 'A second is 0-59, *, H, a range, a step such as */15, or a list.'
        when 'minute' then 'A minute is 0-59, *, H, a range, a step such as */15, or a list.'
        when 'hour' then 'An hour is 0-23, *, H, a range, a step such as */6, or a list.'
        when 'day of month' then
            'A day of month is 1-31, *, ?, H, a range, a step, L (the last), L-3, '
            '15W (the Monday to Friday nearest to the 15th), LW, or a list.'
        when 'month' then 'A month is 1-12, JAN-DEC, *, H, a range, a step, or a list.'
        when 'weekday' then
            'A weekday is 0-7, SUN-SAT, *, ?, H, a range, a step, FRI#2 (the second Friday), '
            '5L (the last Friday), or a list.'
        when 'interval' then 'Write for example @every 90s, @every 1h30m or @every 2d.'
        else 'There are @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually and '
             '@every 90s.'
    end;
end;
$$;

comment on function symphony._cron_reject is
$$Refuse a part of a cron expression, and say what may stand in its place.

Arguments  field - second to weekday, interval or shorthand
           value - what was written
           reason - a sentence
Raises     22023 invalid_parameter_value - always
Access     private$$;
