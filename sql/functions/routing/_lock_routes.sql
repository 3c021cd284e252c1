create or replace function symphony._lock_routes()
returns void
language sql
volatile
as $$
    /* 1398361429: "SYMP" and five. */
    select pg_catalog.pg_advisory_xact_lock(1398361429, 0)
$$;

comment on function symphony._lock_routes() is
$$Let transactions that change transports, routes or handlers do so one after the other. It is taken
first, before any row or lane of theirs.

Locks      the advisory lock (1398361429, 0), until the transaction ends
Access     private$$;

revoke execute on function symphony._lock_routes() from public;
