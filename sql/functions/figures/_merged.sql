create or replace function symphony._merged(pairs bigint[])
returns bigint[]
language sql
immutable
parallel safe
as $$
    select coalesce(pg_catalog.array_agg(array[b.bucket, b.messages] order by b.bucket), '{}')
    from (
        select pair.bucket, pg_catalog.sum(pair.messages)::bigint as messages
        from symphony._pairs(pairs) as pair
        group by pair.bucket
    ) as b
$$;

comment on function symphony._merged is
$$One sketch of several.

Arguments  pairs - their pairs, one after the other
Returns    a sketch: each bucket once, in order
Access     private$$;
