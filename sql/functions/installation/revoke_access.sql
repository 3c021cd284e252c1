create or replace function symphony.revoke_access(role_name text, access text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
/*
 * Two kinds of access share functions, so all is taken and what remains is granted again.
 */
declare
    v_access text;
begin
    if not exists (select from pg_roles where rolname = revoke_access.role_name) then
        raise exception 'role "%" does not exist', coalesce(revoke_access.role_name, '(null)')
            using errcode = '42704',
                  detail  = 'Nothing was revoked.',
                  hint    = 'See symphony.access for the roles that were granted anything.';
    end if;
    delete from symphony.access as a
    where a.role_name = revoke_access.role_name and a.access = revoke_access.access;
    execute format('revoke all on all routines in schema symphony from %I', role_name);
    execute format('revoke all on all tables in schema symphony from %I', role_name);
    execute format('revoke all on schema symphony from %I', role_name);
    for v_access in
        select a.access from symphony.access as a where a.role_name = revoke_access.role_name
    loop
        perform symphony.grant_access(revoke_access.role_name, v_access);
    end loop;
end;
$$;

comment on function symphony.revoke_access(text, text) is
$$Take back what grant_access() granted.

Arguments  role_name - an existing role
           access - producer, consumer, operator or observer
Raises     42704 undefined_object - there is no such role
Writes     symphony.access; grants
Access     operator, who must own Symphony$$;

revoke execute on function symphony.revoke_access(text, text) from public;
