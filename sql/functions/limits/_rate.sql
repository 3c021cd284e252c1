create or replace function symphony._rate(
    rate  text,
    burst integer,
    out messages integer,
    out period   double precision,
    out depth    double precision
)
language plpgsql
immutable
as $$
begin
    messages := split_part(rate, '/', 1);
    period := rtrim(split_part(rate, '/', 2), ' s')::double precision * 1000000;
    depth := ceil(coalesce(burst, messages) * period / messages);
end;
$$;

comment on function symphony._rate is
$$What a rate means.

Arguments  rate - as the queue has it, such as 100/1 s
           burst - how many may be handed out at once; null: as many as the rate names
Returns    messages - so many are handed out
           period - in so many microseconds
           depth - so many microseconds pass until an empty bucket is full
Access     private$$;
