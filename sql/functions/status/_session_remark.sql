create or replace function symphony._session_remark(pid integer)
returns text
language sql
stable
as $$
    select coalesce(
        (select pg_catalog.format('pid %s (role %s%s%s)', a.pid, a.usename,
                    ', application ' operator(pg_catalog.||)
                        case when a.application_name operator(pg_catalog.<>) ''
                             then a.application_name end,
                    case when a.state is not null    -- who may see it
                         then pg_catalog.format(', %s since %s', a.state, a.state_change) end)
         from pg_catalog.pg_stat_activity as a
         where a.pid operator(pg_catalog.=) _session_remark.pid),
        'a prepared transaction (see pg_prepared_xacts)')
$$;

comment on function symphony._session_remark(integer) is
$$Who a session is, for a sentence.

Arguments  pid - its process; null: it is a transaction that was prepared
Access     private$$;

revoke execute on function symphony._session_remark(integer) from public;
