create or replace function symphony.restore_access()
returns table (role_name text, access text, queues text[], state text)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
/*
 * A name that another role has goes to that role; a role that was only renamed keeps what it has, if
 * nobody has its old name.  Before rebase() no number means anything here.
 */
#variable_conflict use_column
declare
    v_waiting symphony.access;
    v_granted bigint := 0;
begin
    perform symphony.rebase();
    for v_waiting in
        select a.* from symphony.access as a
        where not exists (select from pg_roles as r where r.oid = a.role_oid and r.rolname = a.role_name)
          and exists (select from pg_roles as r where r.oid = a.role_oid or r.rolname = a.role_name)
        order by a.role_name, a.access
    loop
        perform symphony.grant_access(coalesce(
            (select r.rolname from pg_roles as r where r.rolname = v_waiting.role_name),
            (select r.rolname from pg_roles as r where r.oid = v_waiting.role_oid)),
            v_waiting.access, v_waiting.queues);
        v_granted := v_granted + 1;
        return query
        select v_waiting.role_name, v_waiting.access, v_waiting.queues, 'granted';
    end loop;
    if v_granted > 0 then
        perform symphony._audit('restore_access', '{}', v_granted);
    end if;
    return query
    select listed.* from symphony.list_access() as listed where listed.state <> 'granted';
exception
    when insufficient_privilege then
        raise exception 'permission denied to restore access'
            using errcode = '42501',
                  detail  = format('Only the owner of Symphony may, and who has his role: %s.', sqlerrm),
                  hint    = format('Take that role: set role %s;', (
                                select n.nspowner::regrole from pg_namespace as n
                                where n.nspname = 'symphony'));
end;
$$;

comment on function symphony.restore_access is
$$Grant what waits to the roles of these names, as after a dump was restored; see list_access().

Returns    a row for each access that waited
           role_name - the role
           access - as list_access() has it
           queues - as list_access() has it
           state - granted, or waits and why: no role has this name
Raises     42501 insufficient_privilege - the caller does not own Symphony
           what grant_access() raises
Writes     symphony.access, symphony.audit; grants; what rebase() writes
Access     operator, who must own Symphony$$;
