create or replace function symphony.cron_next(
    expression text,
    after      timestamptz,
    timezone   text default 'UTC',
    hash_key   text default ''
)
returns timestamptz
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
/*
 * Runs are times on the zone's clocks.  One run at the first instant after a time that the
 * clocks skip makes up for those in it, unless the job runs at every hour anyway.  In a time
 * that the clocks repeat a job runs the first time round.  A frequent job, whose minute or hour
 * begins with *, runs both times.
 */
declare
    c_second constant interval := '1 second';
    v_period bigint;
    v_cron   record;
    v_at     record;
    v_clock  timestamp;
    v_back   timestamp;
    v_end    timestamp;
begin
    perform symphony._cron_check(expression, after, timezone);
    v_period := symphony._cron_period(expression);
    if v_period is not null then
        return to_timestamp((floor(extract(epoch from after) / v_period) + 1) * v_period);
    end if;
    v_cron  := symphony._cron_parse(expression, coalesce(hash_key, ''));
    v_clock := date_trunc('second', after at time zone timezone);
    v_at    := symphony._cron_instants(v_clock, timezone);
    v_back  := v_at.change_at at time zone timezone;
    v_end   := (v_at.change_at - c_second) at time zone timezone + c_second;

    if after >= v_at.change_at and not v_cron.is_frequent then
        v_clock := v_end - c_second;
    end if;
    v_clock := symphony._cron_local(v_cron, v_clock);
    if after < v_at.change_at and v_cron.is_frequent and v_clock >= v_end then
        v_clock := symphony._cron_local(v_cron, v_back - c_second);
    end if;

    loop
        if v_clock is null then
            raise exception 'cron expression "%" never runs', expression
                using errcode = '22023',
                      detail  = format('No date has day of month %s, month %s and weekday %s.',
                                       v_cron.fields[4], v_cron.fields[5], v_cron.fields[6]),
                      hint    = 'Write L for the last day of a month.';
        end if;
        v_at := symphony._cron_instants(v_clock, timezone);
        exit when v_at.first_at is not null;
        if cardinality(v_cron.hours) < 24 then
            return v_at.change_at;
        end if;
        v_clock := symphony._cron_local(v_cron, v_at.change_at at time zone timezone - c_second);
    end loop;
    return case when v_at.first_at > after then v_at.first_at else v_at.last_at end;
end;
$$;

comment on function symphony.cron_next is
$$When a cron expression runs next. docs/cron.md has the dialect.

Arguments  expression - minute, hour, day of month, month, weekday, perhaps with the second in
               front; or @daily and its like; or @every 1h30m, which counts from 1970-01-01 UTC
           after - the run is later than this
           timezone - a name such as Europe/Paris
           hash_key - what H is drawn from, such as the name of the schedule
Returns    the moment, never null
Raises     22023 invalid_parameter_value - the expression cannot be read or never runs; after is
               infinite or null; or the time zone is unknown
Access     producer, operator, observer$$;
