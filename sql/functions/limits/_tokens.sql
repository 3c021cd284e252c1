create or replace function symphony._tokens(rate text, burst integer, full_at timestamptz, now timestamptz)
returns integer
language sql
immutable
as $$
    select pg_catalog.floor((
        bucket.depth operator(pg_catalog.-) least(bucket.depth, greatest(pg_catalog.round(
            pg_catalog.date_part('epoch', full_at operator(pg_catalog.-) now) operator(pg_catalog.*) 1000000.0
        ), 0))) operator(pg_catalog.*) bucket.messages operator(pg_catalog./) bucket.period)::integer
    from symphony._rate(rate, burst) as bucket
$$;

comment on function symphony._tokens(text, integer, timestamptz, timestamptz) is
$$How many messages a rate allows at a moment.

Arguments  rate - null: there is none
           burst - as for _rate()
           full_at - when the bucket is full; null: it is
           now - the moment
Returns    the number; null: any
Access     private$$;

revoke execute on function symphony._tokens(text, integer, timestamptz, timestamptz) from public;
