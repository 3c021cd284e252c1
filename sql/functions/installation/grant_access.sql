create or replace function symphony.grant_access(
    role_name text,
    access    text,
    queues    text[] default null
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_role_oid oid := (select r.oid from pg_roles as r where r.rolname = grant_access.role_name);
begin
    if v_role_oid is null then
        raise exception 'role "%" does not exist', coalesce(grant_access.role_name, '(null)')
            using errcode = '42704',
                  detail  = 'Nothing was granted.',
                  hint    = format('Create it: create role %I login;',
                                   coalesce(grant_access.role_name, 'name'));
    end if;
    if queues is not null then
        perform symphony._check_queues(queues);
    end if;
    delete from symphony.access as a    -- as the role was called before
    where a.role_oid = v_role_oid and a.role_name <> grant_access.role_name
      and a.access = grant_access.access;
    insert into symphony.access as a (role_name, access, role_oid, queues)
    values (grant_access.role_name, grant_access.access, v_role_oid, grant_access.queues)
    on conflict on constraint access_pkey do update
        set role_oid = excluded.role_oid, queues = excluded.queues;
    perform symphony._apply_access(v_role_oid);
    perform symphony._audit('grant_access', jsonb_build_object(
        'role_name', role_name, 'access', access, 'queues', queues));
exception
    when check_violation or not_null_violation then
        raise exception 'there is no access "%"%', coalesce(grant_access.access, '(null)'),
                        case when queues is null then '' else ' for some queues' end
            using errcode = '22023',
                  detail  = 'Nothing was granted.',
                  hint    = 'It is one of enqueuer, producer, consumer, operator and observer; the last '
                            'two are for all queues.';
    when insufficient_privilege then
        raise exception 'permission denied to grant access'
            using errcode = '42501',
                  detail  = format('Only the owner of Symphony may, and who has his role: %s.', sqlerrm),
                  hint    = format('Take that role: set role %s;', (
                                select n.nspowner::regrole from pg_namespace as n
                                where n.nspname = 'symphony'));
end;
$$;

comment on function symphony.grant_access is
$$Let a role call the functions of its task, and touch no table. Upgrades grant it again.

Arguments  role_name - an existing role
           access - enqueuer, producer, consumer, operator or observer
           queues - those that an enqueuer, producer or consumer may use, and no others. They take
               the place of those of an earlier grant; null: all
Raises     SY001 unknown_queue
           22023 invalid_parameter_value
           42501 insufficient_privilege - the caller does not own Symphony
           42704 undefined_object - there is no such role
Writes     symphony.access, symphony.audit; grants
Access     operator, who must own Symphony$$;
