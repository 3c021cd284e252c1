create or replace function symphony._drained(
    ahead        int8multirange,
    partial_txid bigint,
    finished     int8multirange,
    last_txid    bigint
)
returns int8multirange
language sql
immutable
as $$
    /* A range without an upper bound holds all.  The transaction that was begun before goes first,
       though others that ended late may lie below it. */
    select case
        when last_txid operator(pg_catalog.=) partial_txid then '{}'
        else ahead operator(pg_catalog.*) finished
             operator(pg_catalog.*) pg_catalog.int8multirange(pg_catalog.int8range(null, last_txid))
             operator(pg_catalog.+) symphony._txids(partial_txid)
    end
$$;

comment on function symphony._drained(int8multirange, bigint, int8multirange, bigint) is
$$The transactions that a claim took the last message of: they are no longer ahead.

Arguments  ahead, partial_txid - the position before; finished - what was taken from; last_txid -
           where the batch was full, null: it was not
Returns    all of them if the batch was not full; else those below last_txid, and the one begun
           before if it was passed
Access     private$$;

revoke execute on function
    symphony._drained(int8multirange, bigint, int8multirange, bigint)
    from public;
