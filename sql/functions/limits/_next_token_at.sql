create or replace function symphony._next_token_at(rate text, burst integer, full_at timestamptz)
returns timestamptz
language sql
immutable
as $$
    /* Where they come fast it is worth a claim when 20 milliseconds' worth of them are there. */
    select full_at operator(pg_catalog.+) pg_catalog.make_interval(secs => (
        pg_catalog.ceil(
            greatest(1, least(coalesce(burst, bucket.messages),
                              pg_catalog.floor(20000.0 operator(pg_catalog.*) bucket.messages
                                               operator(pg_catalog./) bucket.period)))
            operator(pg_catalog.*) bucket.period operator(pg_catalog./) bucket.messages)
        operator(pg_catalog.-) bucket.depth) operator(pg_catalog./) 1000000.0)
    from symphony._rate(rate, burst) as bucket
$$;

comment on function symphony._next_token_at(text, integer, timestamptz) is
$$When a rate allows the next message, or the next few.

Arguments  rate, burst - as for _rate()
           full_at - when the bucket is full
Returns    the moment; null: now, or there is no rate
Access     private$$;

revoke execute on function symphony._next_token_at(text, integer, timestamptz) from public;
