create or replace function symphony.list_access()
returns table (role_name text, access text, queues text[], state text)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select a.role_name, a.access, a.queues,
           case when a.role_oid is null or not exists (select from symphony._home())
                    then concat('waits: it was copied here from another server',
                                case when other.oid is null then ', and no role has this name' end)
                when same.rolname = a.role_name then 'granted'
                when same.rolname is not null
                    then format('waits: the role is called "%s" now', same.rolname)
                when other.rolname is not null then 'waits: another role has this name now'
                else 'waits: the role is gone' end
    from symphony.access as a
    left join pg_roles as same on same.oid = a.role_oid
    left join pg_roles as other on other.rolname = a.role_name
    order by a.role_name, a.access
$$;

comment on function symphony.list_access is
$$Which role was granted what, and what waits. Upgrades grant access again to those roles alone that
are still the ones it was granted to, by name and by number; what waits is granted by
restore_access(), or removed by revoke_access().

Returns    role_name - the role, as it was called
           access - enqueuer, producer, consumer, operator or observer
           queues - the queues it is for; null: all
           state - granted, or waits and why
Access     operator, observer$$;
