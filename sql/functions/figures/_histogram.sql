create or replace function symphony._histogram(sketch bigint[])
returns bigint[]
language plpgsql
immutable
parallel safe
as $$
/*
 * Every second bucket ends at a power of two.
 */
declare
    v_sums  bigint[] := array_fill(0, array[22]);
    v_place integer;
begin
    for i in 1 .. coalesce(array_length(sketch, 1), 0) loop
        v_place := least((greatest(sketch[i][1], 0) + 1) / 2, 21) + 1;
        v_sums[v_place] := v_sums[v_place] + sketch[i][2];
    end loop;
    for i in 2 .. 22 loop
        v_sums[i] := v_sums[i] + v_sums[i - 1];
    end loop;
    return v_sums;
end;
$$;

comment on function symphony._histogram is
$$A sketch as a histogram with bounds that stay.

Arguments  sketch - of a tally
Returns    how many took at most 1 ms, 2 ms, 4 ms and so on up to 2^20 ms, and, at the end, all
Access     private$$;
