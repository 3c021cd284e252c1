create or replace function symphony._next_run(schedule symphony.schedule, after timestamptz)
returns timestamptz
language plpgsql
stable
as $$
declare
    v_after  timestamptz := greatest(after, schedule.starts_at - interval '1 microsecond');
    v_anchor timestamptz := coalesce(schedule.starts_at, schedule.created_at);
    v_every  interval;
    v_next   timestamptz;
begin
    case schedule.schedule_type
        when 'cron' then
            v_next := symphony.cron_next(schedule.schedule_config ->> 'expression', v_after,
                                         schedule.timezone, schedule.schedule_name);
        when 'interval' then
            v_every := symphony._schedule_interval(schedule.schedule_config);
            v_next := v_anchor + v_every * greatest(
                floor(extract(epoch from v_after - v_anchor) / extract(epoch from v_every))
                    ::double precision + 1,
                case when schedule.starts_at is null then 1 else 0 end);
        else
            v_next := symphony._schedule_time(schedule.schedule_config, schedule.timezone);
            v_next := case when v_next > v_after then v_next end;
    end case;
    if v_next > schedule.ends_at or schedule.run_count >= schedule.max_runs then
        return null;
    end if;
    return v_next;
end;
$$;

comment on function symphony._next_run is
$$When a schedule runs next.

Arguments  schedule - its row
           after - the first time after this one
Returns    the time; null: never again
Raises     22023 invalid_parameter_value - its configuration is wrong
Access     private$$;
