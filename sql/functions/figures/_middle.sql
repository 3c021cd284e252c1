create or replace function symphony._middle(bucket bigint)
returns interval
language sql
immutable
parallel safe
as $$
    select pg_catalog.round(
               pg_catalog.power(2, bucket::double precision operator(pg_catalog./) 2
                                   operator(pg_catalog.-) 0.25) operator(pg_catalog.*) 1000)
           operator(pg_catalog.*) interval '1 microsecond'
$$;

comment on function symphony._middle is
$$The time that stands for a bucket.

Arguments  bucket - see _bucket()
Returns    within 19 % of every time in it
Access     private$$;
