create or replace function symphony.clock_changes(
    timezone text,
    after    timestamptz,
    until    timestamptz
)
returns table (changed_at timestamptz, clock_before timestamp, clock_after timestamp)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
/*
 * It looks at the clocks every 24 hours, and searches between where they moved on by more or less.
 */
declare
    c_day    constant interval := '24 hours';
    c_second constant interval := '1 second';
    v_from timestamptz := date_trunc('second', after);
    v_end  timestamptz := date_trunc('second', until);
    v_to   timestamptz;
begin
    perform symphony._cron_check('', after, timezone);
    if until is null or not isfinite(until) or until > after + interval '1000 years' then
        raise exception 'until must be at most 1000 years after %, not %', after,
                        coalesce(until::text, 'null')
            using errcode = '22023',
                  detail  = 'It is where the search for changes of the clocks ends.',
                  hint    = 'Ask for a shorter time.';
    end if;
    while v_from < v_end loop
        v_to := least(v_from + c_day, v_end);
        if (v_to at time zone timezone) - (v_from at time zone timezone) <> v_to - v_from then
            v_to := symphony._cron_change(v_from, v_to, timezone);
            changed_at := v_to;
            clock_before := (v_to - c_second) at time zone timezone + c_second;
            clock_after := v_to at time zone timezone;
            return next;
        end if;
        v_from := v_to;
    end loop;
end;
$$;

comment on function symphony.clock_changes is
$$When the clocks of a zone are put forward or back, from the time zone data of the server.

Arguments  timezone - a name such as Europe/Paris
           after - changes later than this
           until - changes not later than this
Returns    a row for each change
           changed_at - when it happens
           clock_before - what the clocks would have shown at that moment
           clock_after - what they show
Raises     22023 invalid_parameter_value
Access     producer, operator, observer$$;
