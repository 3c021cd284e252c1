create or replace function symphony._session(
    pid                integer,
    virtualtransaction text default null,
    out who     text,
    out since   timestamptz,
    out command text
)
language sql
stable
as $$
    select found.who, found.since, found.command
    from (
        select symphony._session_remark(a.pid) as who, a.xact_start as since,
               pg_catalog.format('select pg_terminate_backend(%s);', a.pid) as command
        from pg_catalog.pg_stat_activity as a
        where a.pid operator(pg_catalog.=) _session.pid
        union all
        select pg_catalog.format('the prepared transaction %s of role %s', pg_catalog.quote_literal(p.gid),
                                 p.owner),
               p.prepared, pg_catalog.format('rollback prepared %L;', p.gid)
        from pg_catalog.pg_locks as l    -- its own id is locked by the same transaction
        join pg_catalog.pg_prepared_xacts as p on p.transaction operator(pg_catalog.=) l.transactionid
        where _session.pid is null and l.pid is null
          and l.virtualtransaction operator(pg_catalog.=) _session.virtualtransaction
    ) as found
$$;

comment on function symphony._session is
$$A session, or a transaction that was prepared, as a sentence says it.

Arguments  pid - its process; null: the transaction was prepared
           virtualtransaction - as pg_locks says it
Returns    who - who it is
           since - when its transaction began; null: that may not be seen
           command - what ends it
Access     private$$;
