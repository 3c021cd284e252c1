create or replace function symphony._next_token_at(rate text, burst integer, full_at timestamptz)
returns timestamptz
language plpgsql
immutable
as $$
/* Where they come fast it is worth a claim when 20 milliseconds' worth of them are there. */
declare
    v_bucket record;
    v_tokens double precision;
begin
    if rate is null then
        return null;
    end if;
    v_bucket := symphony._rate(rate, burst);
    v_tokens := greatest(1, least(coalesce(burst, v_bucket.messages),
                                  floor(20000 * v_bucket.messages / v_bucket.period)));
    return full_at + make_interval(
        secs => (ceil(v_tokens * v_bucket.period / v_bucket.messages) - v_bucket.depth) / 1000000);
end;
$$;

comment on function symphony._next_token_at is
$$When a rate allows the next message, or the next few.

Arguments  rate, burst - as for _rate()
           full_at - when the bucket is full
Returns    the moment; null: now, or there is no rate
Access     private$$;
