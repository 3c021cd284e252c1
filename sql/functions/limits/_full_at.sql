create or replace function symphony._full_at(
    rate    text,
    burst   integer,
    full_at timestamptz,
    now     timestamptz,
    taken   bigint
)
returns timestamptz
language plpgsql
immutable
as $$
/* It is rounded up, so that what is handed out in any time is less than the rate allows. */
declare
    v_bucket record;
begin
    if rate is null then
        return null;
    end if;
    v_bucket := symphony._rate(rate, burst);
    return greatest(now, least(coalesce(full_at, now), now + make_interval(secs => v_bucket.depth / 1000000)))
           + make_interval(secs => ceil(taken * v_bucket.period / v_bucket.messages) / 1000000);
end;
$$;

comment on function symphony._full_at is
$$When a bucket is full after some messages were handed out.

Arguments  rate, burst - as for _rate()
           full_at - when it was to be full; null: it was. One that is emptier than empty, since the
               rate was changed or the clock set back, is empty
           now
           taken - how many messages were handed out
Returns    the moment; null: there is no rate
Access     private$$;
