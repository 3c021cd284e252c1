create or replace function symphony._txids(txid bigint)
returns int8multirange
language sql
immutable
as $$
    select case
        when txid is null then '{}'::int8multirange
        else pg_catalog.int8multirange(pg_catalog.int8range(txid, txid, '[]'))
    end
$$;

comment on function symphony._txids is
$$One transaction as a set, to be added to or taken from others.

Arguments  txid - null gives the empty set
Access     private$$;
