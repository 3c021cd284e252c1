create or replace function symphony._schedule_interval(schedule_config jsonb)
returns interval
language plpgsql
stable
as $$
declare
    v_every interval;
begin
    begin
        v_every := (schedule_config ->> 'every')::interval;
    exception when others then
        v_every := null;
    end;
    if v_every is null or v_every < '1 second' or extract(month from v_every) <> 0
       or extract(year from v_every) <> 0 or v_every > '100 years'
    then
        raise exception 'an interval needs {"every": "15 minutes"}, not %',
                        coalesce(schedule_config, 'null')
            using errcode = '22023',
                  detail  = 'It must be a second or longer, and have no months or years in it, '
                            'which differ in length.',
                  hint    = 'For "every month" take a cron expression such as 0 9 1 * *.';
    end if;
    return make_interval(secs => extract(epoch from v_every)::double precision);
end;
$$;

comment on function symphony._schedule_interval is
$$The length of an interval schedule. A day counts 24 hours.

Arguments  schedule_config - {"every": interval}
Raises     22023 invalid_parameter_value
Access     private$$;
