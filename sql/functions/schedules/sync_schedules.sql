create or replace function symphony.sync_schedules(
    managed_by text,
    schedules  jsonb,
    take_over  boolean default false
)
returns table (schedule_name text, outcome text, changes jsonb, enabled boolean, last_error text,
               next_run_at timestamptz, state text)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
/*
 * Every worker does this when it starts.  They take turns, and who comes second finds nothing
 * to do.  Nothing is removed: an orphaned schedule may still be declared by a newer release
 * that is being rolled back, or by an application of the same name.
 */
#variable_conflict use_column
declare
    v_diff     record;
    v_declared symphony.schedule;
begin
    perform symphony._take_turn('schedules', wait => true);
    for v_diff in
        select * from symphony.schedule_diff(sync_schedules.managed_by, sync_schedules.schedules)
    loop
        if v_diff.outcome = 'taken' and take_over is not true then
            raise exception 'schedule "%" is not one of application "%"',
                            v_diff.schedule_name, sync_schedules.managed_by
                using errcode = 'SY007',
                      detail  = coalesce(
                          'Application "' || (v_diff.changes #>> '{managed_by,0}')
                          || '" declares it, too.',
                          'It was made by hand.'),
                      hint    = 'Give it another name, or take it over: symphony-pg db install '
                                '--take-over.';
        elsif v_diff.outcome in ('new', 'changed', 'taken') then
            select d.* into v_declared
            from jsonb_array_elements(sync_schedules.schedules) as element,
                 symphony._declared_schedule(sync_schedules.managed_by, element) as d
            where element ->> 'schedule_name' = v_diff.schedule_name;
            v_diff.next_run_at := symphony.create_schedule(
                v_declared.schedule_name, v_declared.message_type, v_declared.schedule_type,
                v_declared.schedule_config, v_declared.body, v_declared.queue_name,
                v_declared.priority, v_declared.headers, v_declared.timezone,
                v_declared.starts_at, v_declared.ends_at, v_declared.max_runs, v_declared.jitter,
                v_declared.catch_up, v_declared.catch_up_limit, v_declared.overlap,
                v_declared.expires_in, v_declared.on_expiry);
            update symphony.schedule as s
            set managed_by = sync_schedules.managed_by
            where s.schedule_name = v_diff.schedule_name
            returning s.enabled, s.last_error, s.state
            into v_diff.enabled, v_diff.last_error, v_diff.state;
            v_diff.outcome := case v_diff.outcome when 'new' then 'created' else 'changed' end;
        end if;
        return query
        select v_diff.schedule_name, v_diff.outcome, v_diff.changes, v_diff.enabled,
               v_diff.last_error, v_diff.next_run_at, v_diff.state;
    end loop;
end;
$$;

comment on function symphony.sync_schedules is
$$Create and change the schedules that an application declares. One that is as declared is not
touched. One that was paused stays paused. It removes no schedule.

Arguments  managed_by, schedules - as for schedule_diff()
           take_over - true: also change schedules that belong to another application or were made
               by hand
Returns    a row for each schedule
           schedule_name - the schedule
           outcome - created, changed, unchanged, or orphaned: it goes on until remove_schedule()
           changes - as from schedule_diff()
           enabled - as from schedule_diff()
           last_error - as from schedule_diff()
           next_run_at - when it runs next
           state - as schedule_status() has it
Raises     SY007 schedule_taken
           22023 invalid_parameter_value
           what create_schedule() raises
Writes     symphony.schedule
Access     operator, producer$$;
