create or replace function symphony.revoke_access(role_name text, access text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
/*
 * The role may be gone, or be another one by now: then there is only a row to remove.
 */
declare
    v_role_oid oid := (select r.oid from pg_roles as r where r.rolname = revoke_access.role_name);
begin
    if v_role_oid is null and not exists (
        select from symphony.access as a where a.role_name = revoke_access.role_name)
    then
        raise exception 'role "%" does not exist', coalesce(revoke_access.role_name, '(null)')
            using errcode = '42704',
                  detail  = 'Nothing was revoked.',
                  hint    = 'See who was granted anything: select * from symphony.list_access();';
    end if;
    if not exists (select from symphony._access_list() as l where l.access = revoke_access.access) then
        raise exception 'there is no access "%"', coalesce(revoke_access.access, '(null)')
            using errcode = '22023',
                  detail  = 'Nothing was revoked.',
                  hint    = 'It is one of enqueuer, producer, consumer, operator and observer.';
    end if;
    delete from symphony.access as a
    where (a.role_name = revoke_access.role_name or a.role_oid = v_role_oid)
      and a.access = revoke_access.access;
    if found then
        perform symphony._audit('revoke_access', jsonb_build_object(
            'role_name', role_name, 'access', access));
    end if;
    if v_role_oid is not null then
        perform symphony._apply_access(v_role_oid);
    end if;
    perform symphony._note_limits();
exception
    when insufficient_privilege then
        raise exception 'permission denied to revoke access'
            using errcode = '42501',
                  detail  = format('Only the owner of Symphony may, and who has his role: %s.', sqlerrm),
                  hint    = format('Take that role: set role %s;', (
                                select n.nspowner::regrole from pg_namespace as n
                                where n.nspname = 'symphony'));
end;
$$;

comment on function symphony.revoke_access is
$$Take back what grant_access() granted.

Arguments  role_name - a role, or the name of one that is gone
           access - enqueuer, producer, consumer, operator or observer
Raises     22023 invalid_parameter_value - there is no such access
           42501 insufficient_privilege - the caller does not own Symphony
           42704 undefined_object - there is no such role, and nothing was granted to it
Writes     symphony.access, symphony.audit; grants
Access     operator, who must own Symphony$$;
