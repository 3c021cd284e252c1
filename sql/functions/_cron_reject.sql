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
                  when 'second' then 'A second is 0-59, *, a list, a range, a step such as */15, or H.'
                  when 'minute' then 'A minute is 0-59, *, a list, a range, a step such as */15, or H.'
                  when 'hour' then 'An hour is 0-23, *, a list, a range, a step such as */6, or H.'
                  when 'day of month' then
                      'A day of month is 1-31, *, ?, a list, a range, a step, H, L (the last), L-3, '
                      'LW (the last Monday to Friday) or 15W (the nearest Monday to Friday).'
                  when 'month' then 'A month is 1-12, JAN-DEC, *, a list, a range, a step or H.'
                  when 'weekday' then
                      'A weekday is 0-7, SUN-SAT, *, ?, a list, a range, a step, H, '
                      'FRI#2 (the second Friday) or 5L (the last Friday).'
                  when 'interval' then 'Write for example @every 90s, @every 1h30m or @every 2d.'
                  else 'Known are @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually '
                       'and @every 90s.'
              end;
end;
$$;

comment on function symphony._cron_reject(text, text, text) is
$$Refuse a part of a cron expression, and say what may stand in its place.

Arguments  field - second to weekday, interval or shorthand; value - what was written; reason - a sentence
Raises     22023 bad argument, always
Access     private$$;

revoke execute on function symphony._cron_reject(text, text, text) from public;
