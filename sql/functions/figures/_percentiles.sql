create or replace function symphony._percentiles(sketch bigint[])
returns interval[]
language plpgsql
immutable
as $$
declare
    v_shares constant double precision[] := '{0.5,0.95,0.99}';
    v_found  interval[] := '{}';
    v_all    bigint := (select sum(pair.messages) from symphony._pairs(sketch) as pair);
    v_seen   bigint := 0;
begin
    for i in 1 .. coalesce(array_length(sketch, 1), 0) loop
        v_seen := v_seen + sketch[i][2];
        while v_shares[cardinality(v_found) + 1] * v_all <= v_seen loop
            v_found := v_found || make_interval(
                secs => round((power(2, sketch[i][1] / 2.0 - 0.25) / 1000)::numeric, 7)::double precision);
        end loop;
    end loop;
    return v_found;
end;
$$;

comment on function symphony._percentiles(bigint[]) is
$$The 50th, 95th and 99th percentile of a sketch: the time that so many percent did not exceed.

Arguments  sketch - its buckets in order
Returns    each within 19 % of the exact one; empty if the sketch is
Access     private$$;

revoke execute on function symphony._percentiles(bigint[]) from public;
