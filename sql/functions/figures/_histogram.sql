create or replace function symphony._histogram(sketch bigint[])
returns bigint[]
language sql
immutable
parallel safe
as $$
    /* Every second bucket ends at a power of two. */
    select pg_catalog.array_agg(
        coalesce((select pg_catalog.sum(pair.messages)
                  from symphony._pairs(sketch) as pair
                  where n.n operator(pg_catalog.=) 21
                     or pair.bucket operator(pg_catalog.<=) (2 operator(pg_catalog.*) n.n)), 0)::bigint
        order by n.n)
    from pg_catalog.generate_series(0, 21) as n (n)
$$;

comment on function symphony._histogram(bigint[]) is
$$A sketch as a histogram with bounds that stay.

Arguments  sketch - of a tally
Returns    how many took at most 1 ms, 2 ms, 4 ms and so on up to 2^20 ms, and, at the end, all
Access     private$$;

revoke execute on function symphony._histogram(bigint[]) from public;
