create or replace function symphony.schedule_diff(managed_by text, schedules jsonb)
returns table (schedule_name text, outcome text, changes jsonb, enabled boolean, last_error text,
               next_run_at timestamptz, state text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $$
#variable_conflict use_column
declare
    v_declared symphony.schedule;
    v_found    symphony.schedule;
    v_names    text[] := '{}';
begin
    if coalesce(managed_by, '') = '' or length(managed_by) > 200
       or jsonb_typeof(schedules) is distinct from 'array'
    then
        raise exception 'an application with a name of 1 to 200 characters declares its schedules'
            using errcode = '22023',
                  detail  = 'The schedules are a JSON array of objects.',
                  hint    = 'Write for example schedule_diff(''shop'', ''[]'').';
    end if;
    for v_declared in
        select declared.*
        from jsonb_array_elements(schedules) as element,
             symphony._declared_schedule(managed_by, element) as declared
        order by declared.schedule_name
    loop
        if v_declared.schedule_name = any (v_names) then
            raise exception 'schedule "%" is declared twice', v_declared.schedule_name
                using errcode = '22023',
                      detail  = 'The name identifies a schedule.',
                      hint    = 'Give one of them another name.';
        end if;
        v_names := v_names || v_declared.schedule_name;
        select * into v_found from symphony.schedule as s
        where s.schedule_name = v_declared.schedule_name;
        if found then
            changes := symphony._schedule_changes(v_found, v_declared);
            outcome := case when changes ? 'managed_by' then 'taken'
                            when changes <> '{}' then 'changed'
                            else 'unchanged' end;
        else
            v_found := v_declared;
            v_found.enabled := true;
            changes := '{}';
            outcome := 'new';
        end if;
        schedule_name := v_declared.schedule_name;
        enabled := v_found.enabled;
        last_error := v_found.last_error;
        next_run_at := v_found.next_run_at;
        state := v_found.state;
        return next;
    end loop;
    return query
    select s.schedule_name, 'orphaned', '{}'::jsonb, s.enabled, s.last_error, s.next_run_at,
           s.state
    from symphony.schedule as s
    where s.managed_by = schedule_diff.managed_by and s.schedule_name <> all (v_names)
    order by s.schedule_name;
end;
$$;

comment on function symphony.schedule_diff is
$$What sync_schedules() would do: how the schedules of the database differ from those that an
application declares.

Arguments  managed_by - the name of the application
           schedules - an array of objects whose keys are the arguments of create_schedule()
Returns    a row for each schedule
           schedule_name - the schedule
           outcome - new, changed, unchanged; taken: it belongs to another application or was made
               by hand; orphaned: the application declared it once, and does so no longer
           changes - [in the database, declared] for each setting that differs
           enabled - false: paused, or broken if there is a last_error
           last_error - why it was disabled
           next_run_at - when it runs next
           state - as schedule_status() has it; null: it is new
Raises     22023 invalid_parameter_value
           what create_schedule() raises - with the name of the schedule
Access     producer, operator, observer$$;
