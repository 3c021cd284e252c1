create or replace function symphony._first_run(take int8multirange, partial_txid bigint)
returns int8range
language sql
immutable
as $$
    /* The first part ends where the gaps begin. */
    select case
        when partial_txid operator(pg_catalog.<>) pg_catalog.lower(take)
        then pg_catalog.int8range(partial_txid, partial_txid, '[]')
        else pg_catalog.int8range(
            pg_catalog.lower(take),
            coalesce(
                pg_catalog.lower(
                    pg_catalog.int8multirange(pg_catalog.range_merge(take))
                    operator(pg_catalog.-) take),
                pg_catalog.upper(take)))
    end
$$;

comment on function symphony._first_run is
$$Which of these transactions a claim begins with. It is the one that the last claim ended in the
middle of, with those that follow it without a gap, unless others that ended late lie below it. Or
else it is the lowest, likewise.

Arguments  take - not empty
           partial_txid - one of them, or null
Access     private$$;
