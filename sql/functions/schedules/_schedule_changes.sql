create or replace function symphony._schedule_changes(
    existing    symphony.schedule,
    declared symphony.schedule
)
returns jsonb
language plpgsql
stable
as $$
/*
 * 60 seconds are 1 minute, and a moment is the same in every zone.
 */
declare
    v_declared text[] := (
        select proargnames || '{managed_by}' from pg_proc
        where oid = 'symphony.create_schedule'::regproc);
begin
    if existing.schedule_type = declared.schedule_type and (case declared.schedule_type
        when 'interval' then symphony._schedule_interval(existing.schedule_config)
                             = symphony._schedule_interval(declared.schedule_config)
        when 'once' then symphony._schedule_time(existing.schedule_config, existing.timezone)
                         = symphony._schedule_time(declared.schedule_config, declared.timezone)
        else false end)
    then
        declared.schedule_config := existing.schedule_config;
    end if;
    return (
        select coalesce(jsonb_object_agg(key, jsonb_build_array(f.value, d.value)), '{}')
        from jsonb_each(to_jsonb(existing)) as f
        join jsonb_each(to_jsonb(declared)) as d using (key)
        where key = any (v_declared) and f.value <> d.value);
end;
$$;

comment on function symphony._schedule_changes is
$$In which of its settings a schedule differs from what was declared.

Arguments  existing - the one in the database
           declared - from _declared_schedule()
Returns    an object with [existing, declared] for each setting that differs
Access     private$$;
