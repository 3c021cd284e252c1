create or replace function symphony._tokens(rate text, burst integer, full_at timestamptz, now timestamptz)
returns integer
language plpgsql
immutable
as $$
declare
    v_bucket record;
begin
    if rate is null then
        return null;
    end if;
    v_bucket := symphony._rate(rate, burst);
    return floor((v_bucket.depth - least(v_bucket.depth, greatest(
        round(date_part('epoch', full_at - now) * 1000000), 0))) * v_bucket.messages / v_bucket.period);
end;
$$;

comment on function symphony._tokens is
$$How many messages a rate allows at a moment.

Arguments  rate - null: there is none
           burst - as for _rate()
           full_at - when the bucket is full; null: it is
           now - the moment
Returns    the number; null: any
Access     private$$;
