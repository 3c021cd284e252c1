create or replace function symphony._schedule_time(schedule_config jsonb, timezone text)
returns timestamptz
language plpgsql
stable
set timezone = 'UTC'
as $$
declare
    v_at timestamptz;
begin
    begin
        perform set_config('timezone', timezone, true);
        v_at := (schedule_config ->> 'at')::timestamptz;
    exception when others then
        v_at := null;
    end;
    if v_at is null or not isfinite(v_at) then
        raise exception 'a single run needs {"at": "2027-01-01 09:00+01"}, not %',
                        coalesce(schedule_config, 'null')
            using errcode = '22023',
                  detail  = 'There is no time in it.',
                  hint    = 'A time without an offset is one on the clocks of the schedule''s '
                            'time zone.';
    end if;
    return v_at;
end;
$$;

comment on function symphony._schedule_time is
$$The time of a schedule that runs once.

Arguments  schedule_config - {"at": time}
           timezone - whose clocks a time without an offset goes by
Raises     22023 invalid_parameter_value
Access     private$$;
