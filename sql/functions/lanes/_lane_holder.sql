create or replace function symphony._lane_holder(lane_id integer)
returns text
language sql
stable
as $$
    select symphony._session_remark(l.pid)
    from pg_catalog.pg_locks as l
    where l.locktype operator(pg_catalog.=) 'advisory'
      and l.classid operator(pg_catalog.=) 1398361424::pg_catalog.oid
      and (l.objid operator(pg_catalog.=) lane_id::pg_catalog.oid
           or l.objid operator(pg_catalog.=) 0::pg_catalog.oid    -- all lanes
              and l.mode operator(pg_catalog.=) 'ExclusiveLock')
      and l.objsubid operator(pg_catalog.=) 2::smallint
      and l.granted
      and l.pid is distinct from pg_catalog.pg_backend_pid()
      and l.database operator(pg_catalog.=) (
          select d.oid from pg_catalog.pg_database as d
          where d.datname operator(pg_catalog.=) pg_catalog.current_database())
    limit 1
$$;

comment on function symphony._lane_holder(integer) is
$$Which other session has locked a lane, as a sentence says it.

Arguments  lane_id
Returns    what _session_remark() returns; null: nobody has
Access     private$$;

revoke execute on function symphony._lane_holder(integer) from public;
