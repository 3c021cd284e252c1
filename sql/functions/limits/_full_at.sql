create or replace function symphony._full_at(
    rate    text,
    burst   integer,
    full_at timestamptz,
    now     timestamptz,
    taken   bigint
)
returns timestamptz
language sql
immutable
as $$
    /* It is rounded up, so that what is handed out in any time is less than the rate allows. */
    select greatest(
               least(coalesce(full_at, now), now operator(pg_catalog.+)
                   pg_catalog.make_interval(secs => bucket.depth operator(pg_catalog./) 1000000.0)), now)
           operator(pg_catalog.+) pg_catalog.make_interval(secs => pg_catalog.ceil(
               taken operator(pg_catalog.*) bucket.period operator(pg_catalog./) bucket.messages)
               operator(pg_catalog./) 1000000.0)
    from symphony._rate(rate, burst) as bucket
$$;

comment on function symphony._full_at(text, integer, timestamptz, timestamptz, bigint) is
$$When a bucket is full after some messages were handed out.

Arguments  rate, burst - as for _rate()
           full_at - when it was to be full; null: it was. One that is emptier than empty, since the
               rate was changed or the clock set back, is empty
           now
           taken - how many messages were handed out
Returns    the moment; null: there is no rate
Access     private$$;

revoke execute on function symphony._full_at(text, integer, timestamptz, timestamptz, bigint) from public;
