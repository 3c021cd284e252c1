create or replace function symphony._installation_incidents(library text)
returns setof symphony.incident
language plpgsql
stable
as $$
declare
    v_version text := symphony.version();
begin
    return query
    select 'critical', 'copied_here', null::text,
           'The queues were copied here from another server, and hand out nothing.', null::timestamptz,
           'Transactions have other numbers here: positions must be moved back.', 'symphony-pg db rebase'
    where not exists (select from symphony._home());

    return query
    select 'warning', 'access_waits', a.role_name,
           format('Access as %s is not granted to role "%s".', a.access, a.role_name), null::timestamptz,
           format('It %s.', a.state),
           case when a.state = 'waits: the role is gone'
                then format('select symphony.revoke_access(%L, %L);', a.role_name, a.access)
                else 'select * from symphony.restore_access();' end
    from symphony.list_access() as a
    where a.state <> 'granted'
    limit 10;

    return query
    select 'warning', 'versions_differ', null::text,
           format('This program is of version %s, and the database of %s.', library, v_version),
           null::timestamptz, 'One of them was upgraded, and the other one was not.',
           format('pip install ''symphony-pg==%s''', v_version)
    where library <> v_version;

    return query
    select 'warning', 'versions_differ', w.version,
           format('%s of version %s, and the database of %s.', case when w.workers = 1 then '1 worker is'
                  else format('%s workers are', w.workers) end, w.version, v_version),
           null::timestamptz, 'They were not started again when the others were upgraded.',
           format('symphony-pg workers stop %s', w.first)
    from (
        select known.details ->> 'version' as version, count(*) as workers, min(known.worker) as first
        from symphony.worker as known
        where known.details ->> 'version' <> v_version
        group by 1
        limit 10
    ) as w;
end;
$$;

comment on function symphony._installation_incidents is
$$Whether the queues were copied here, access waits, and versions differ.

Arguments  library - the version of the program that asks; null: it does not say
Access     private$$;
