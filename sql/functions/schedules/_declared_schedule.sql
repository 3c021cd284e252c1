create or replace function symphony._declared_schedule(managed_by text, declaration jsonb)
returns symphony.schedule
language plpgsql
stable
as $$
/*
 * An application declares many schedules, so an error says which it is about.
 */
declare
    v_known    text[];
    v_needed   text[];
    v_schedule symphony.schedule;
    v_detail   text;
    v_hint     text;
begin
    select proargnames, proargnames[:pronargs - pronargdefaults] into v_known, v_needed
    from pg_proc
    where oid = 'symphony.create_schedule'::regproc;
    if jsonb_typeof(declaration) is distinct from 'object' or not declaration ?& v_needed
       or (declaration - v_known) <> '{}'
       or declaration ->> 'schedule_type' not in ('once', 'cron', 'interval')
    then
        raise exception 'this does not declare a schedule: %', coalesce(left(declaration::text, 200), 'null')
            using errcode = '22023',
                  detail  = format('The keys %s are needed; the type is once, cron or interval.',
                                   array_to_string(v_needed, ', ')),
                  hint    = 'The keys are the arguments of symphony.create_schedule().';
    end if;
    v_schedule := jsonb_populate_record(
        null::symphony.schedule,
        '{"body": {}, "headers": {}, "timezone": "UTC", "jitter": "0", "catch_up": "last",
          "catch_up_limit": 100, "overlap": "allow", "run_count": 0}'
        || (select jsonb_object_agg(key, value) from jsonb_each(declaration)
            where value <> 'null'));
    v_schedule.managed_by := managed_by;
    v_schedule.created_at := symphony._now();
    perform symphony._cron_check('', v_schedule.created_at, v_schedule.timezone);
    perform symphony._check_routed(
        v_schedule.message_type, v_schedule.body, v_schedule.queue_name, v_schedule.priority,
        null, null, null, v_schedule.headers);
    v_schedule.next_run_at := symphony._next_run(
        v_schedule, case when v_schedule.schedule_type = 'once' then '-infinity'
                         else v_schedule.created_at end);
    return v_schedule;
exception
    when others then
        get stacked diagnostics v_detail = pg_exception_detail, v_hint = pg_exception_hint;
        raise exception 'schedule "%": %', coalesce(declaration ->> 'schedule_name', '?'), sqlerrm
            using errcode = case when sqlstate like '22%' then '22023' else sqlstate end,
                  detail  = coalesce(nullif(v_detail, ''), 'Nothing was changed.'),
                  hint    = coalesce(nullif(v_hint, ''),
                                     'The keys are the arguments of symphony.create_schedule().');
end;
$$;

comment on function symphony._declared_schedule is
$$The schedule that an application declares, as it would be created now.

Arguments  managed_by - the application
           declaration - an object of arguments of create_schedule()
Raises     22023 invalid_parameter_value
           what create_schedule() raises - with the name of the schedule
Access     private$$;
