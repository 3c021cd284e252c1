create or replace function symphony._pairs(sketch bigint[])
returns table (bucket bigint, messages bigint)
language sql
immutable
parallel safe
as $$
    select sketch[i][1], sketch[i][2] from pg_catalog.generate_subscripts(sketch, 1) as i
$$;

comment on function symphony._pairs is
$$What a sketch consists of. A sketch tells how many messages took about how long: it is an array of
pairs, a bucket and how many are in it.

Arguments  sketch - of a tally or a figure
Returns    bucket - see _bucket()
           messages - how many of them
Access     private$$;
