create or replace function symphony.grant_access(role_name text, access text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_function regprocedure;
begin
    if not exists (select from pg_roles where rolname = grant_access.role_name) then
        raise exception 'role "%" does not exist', coalesce(grant_access.role_name, '(null)')
            using errcode = '42704',
                  detail  = 'Nothing was granted.',
                  hint    = format('Create it: create role %I login;',
                                   coalesce(grant_access.role_name, 'name'));
    end if;
    insert into symphony.access (role_name, access)
    values (grant_access.role_name, grant_access.access)
    on conflict do nothing;
    execute format('grant usage on schema symphony to %I', role_name);
    for v_function in
        select p.oid
        from pg_proc as p
        join symphony._access_list() as list on list.function_name = p.proname
        where p.pronamespace = 'symphony'::regnamespace and list.access = grant_access.access
    loop
        execute format('grant execute on routine %s to %I', v_function, role_name);
    end loop;
    if grant_access.access in ('operator', 'observer') then
        execute format('grant select on symphony.queue_overview, symphony.pending_message, '
                       'symphony.processing_message, symphony.failed_overview, '
                       'symphony.worker_overview, symphony.schedule_overview, '
                       'symphony.schedule_history to %I', role_name);
    end if;
exception
    when check_violation or not_null_violation then
        raise exception 'there is no access "%"', coalesce(grant_access.access, '(null)')
            using errcode = '22023',
                  detail  = 'Nothing was granted.',
                  hint    = 'It is one of producer, consumer, operator and observer.';
end;
$$;

comment on function symphony.grant_access(text, text) is
$$Let a role call the functions of its task, and touch no table. Upgrades grant it again.

Arguments  role_name - an existing role
           access - producer, consumer, operator or observer
Raises     22023 invalid_parameter_value
           42704 undefined_object - there is no such role
Writes     symphony.access; grants
Access     operator, who must own Symphony$$;

revoke execute on function symphony.grant_access(text, text) from public;
