create or replace function symphony._table_incidents()
returns setof symphony.incident
language plpgsql
stable
as $$
/*
 * A vacuum that shortens a table has it for a moment.  Only what is still there after half a second is told.
 */
declare
    v_locked boolean := true;
begin
    for v_look in 1 .. 5 loop
        v_locked := v_locked and exists (
            select from pg_locks as l
            join pg_class as c on c.oid = l.relation and c.relnamespace = 'symphony'::regnamespace
            where l.locktype = 'relation' and l.mode = 'AccessExclusiveLock'
              and l.pid is distinct from pg_backend_pid()
              and l.database = (select d.oid from pg_database as d where d.datname = current_database()));
        exit when not v_locked;
        perform pg_sleep(0.1);
    end loop;
    return query
    select 'critical', 'table_locked', c.relname::text,
           format('Table symphony.%s is locked: nobody can read it.', c.relname),
           s.since, format('Locked by %s.', s.who), s.command
    from pg_locks as l
    join pg_class as c on c.oid = l.relation and c.relnamespace = 'symphony'::regnamespace
    cross join lateral symphony._session(l.pid, l.virtualtransaction) as s
    where l.locktype = 'relation' and l.mode = 'AccessExclusiveLock'
      and l.pid is distinct from pg_backend_pid()
      and l.database = (select d.oid from pg_database as d where d.datname = current_database())
      and v_locked and c.relkind = 'r'
    order by s.since, c.relname
    limit 3;
end;
$$;

comment on function symphony._table_incidents is
$$Tables of Symphony that a session has locked, or waits to lock, against all others.

Access     private$$;
