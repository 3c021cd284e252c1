create or replace function symphony._rate(
    rate  text,
    burst integer,
    out messages integer,
    out period   double precision,
    out depth    double precision
)
language sql
immutable
as $$
    select given.messages, given.period,
           pg_catalog.ceil(coalesce(burst, given.messages)
                           operator(pg_catalog.*) given.period operator(pg_catalog./) given.messages)
    from (
        select pg_catalog.split_part(rate, '/', 1)::integer as messages,
               pg_catalog.rtrim(pg_catalog.split_part(rate, '/', 2), ' s')::double precision
               operator(pg_catalog.*) 1000000.0 as period
    ) as given
$$;

comment on function symphony._rate(text, integer) is
$$What a rate means.

Arguments  rate - as the queue has it, such as 100/1 s
           burst - how many may be handed out at once; null: as many as the rate names
Returns    messages - so many are handed out
           period - in so many microseconds
           depth - so many microseconds pass until an empty bucket is full
Access     private$$;

revoke execute on function symphony._rate(text, integer) from public;
