create or replace function symphony._session_incidents(now timestamptz)
returns setof symphony.incident
language plpgsql
stable
as $$
/*
 * A transaction that writes, in any database, holds back a purge; one that reads, in ours, the vacuum.  Since
 * when the sessions of other roles are at it may not be seen by all.
 */
declare
    v_since timestamptz := now - (symphony._thresholds()).open;
begin
    return query
    select 'warning', what.code, a.pid::text,
           format(what.sentence, symphony._duration(now - a.xact_start)), a.xact_start,
           format(what.cause, concat(
               s.who, case when a.datname <> current_database() then ' in database ' || a.datname end)),
           s.command
    from pg_stat_activity as a
    cross join lateral (
        select 'writer_open' as code, 'A transaction that writes has been open for %s: it holds back purges.'
               as sentence, 'Held by %s.' as cause
        where a.backend_xid is not null
        union all
        select 'snapshot_old', 'A snapshot has been held for %s: it holds back the vacuum.', 'Held by %s.'
        where a.backend_xmin is not null and a.datname = current_database()
        union all
        select 'idle_in_transaction', 'A session has been idle in a transaction for %s.', 'It is %s.'
        where starts_with(a.state, 'idle in transaction') and a.datname = current_database()
        limit 1
    ) as what
    cross join lateral symphony._session(a.pid) as s
    where a.backend_type = 'client backend' and a.pid <> pg_backend_pid() and a.xact_start < v_since
    order by a.xact_start
    limit 10;

    return query
    select 'warning', 'prepared_open', p.gid,
           format('A transaction was prepared %s ago: it holds back purge and vacuum.',
                  symphony._duration(now - p.prepared)),
           p.prepared,
           format('Role %s prepared it in database %s, and nobody has ended it.', p.owner, p.database),
           format('rollback prepared %L;', p.gid)
    from pg_prepared_xacts as p
    where p.prepared < v_since
    order by p.prepared
    limit 10;
end;
$$;

comment on function symphony._session_incidents is
$$Transactions that have been open for long, and those that were prepared and not ended.

Arguments  now
Access     private$$;
