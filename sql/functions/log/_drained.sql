create or replace function symphony._drained(
    take      int8multirange,
    first_run int8range,
    last_txid bigint
)
returns int8multirange
language sql
immutable
as $$
    select case
        when last_txid is null then take
        when last_txid operator(pg_catalog.<@) first_run
        then pg_catalog.int8multirange(
            first_run operator(pg_catalog.*) pg_catalog.int8range(null, last_txid))
        else take operator(pg_catalog.*)
             pg_catalog.int8multirange(pg_catalog.int8range(null, last_txid))
             operator(pg_catalog.+) pg_catalog.int8multirange(first_run)
    end
$$;

comment on function symphony._drained is
$$Transactions that a claim leaves nothing of.

Arguments  take - what it took from
           first_run - the part of it that it began with
           last_txid - where the batch was full; null: it was not
Returns    all of them if the batch was not full, or else those handed out before last_txid
Access     private$$;
