create or replace function symphony._session_remark(pid integer)
returns text
language sql
stable
as $$
    select (
        select pg_catalog.format('pid %s (role %s%s%s)', a.pid, a.usename,
                    ', ' operator(pg_catalog.||)
                        case when a.application_name operator(pg_catalog.<>) ''
                             then a.application_name end,
                    case when a.state is not null    -- who may see it
                         then pg_catalog.format(', %s for %s', a.state, symphony._duration(
                             pg_catalog.clock_timestamp() operator(pg_catalog.-) a.state_change)) end)
        from pg_catalog.pg_stat_activity as a
        where a.pid operator(pg_catalog.=) _session_remark.pid)
$$;

comment on function symphony._session_remark is
$$Who a session is, for a sentence.

Arguments  pid - its process
Returns    part of a sentence; null: there is no such session
Access     private$$;
