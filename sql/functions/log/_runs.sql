create or replace function symphony._runs(
    lane_id integer,
    txids   int8multirange,
    at_most integer
)
returns setof symphony.message
language plpgsql
stable
as $$
/*
 * It is in a language that is not inlined: claim_batch() rarely needs it, and would pay for the
 * start of this plan each time.
 */
begin
    return query
    select pending.*
    from pg_catalog.unnest(txids) as part,
         lateral symphony._run(_runs.lane_id, part, 0, _runs.at_most) as pending
    limit _runs.at_most;
end;
$$;

comment on function symphony._runs is
$$The next messages of a lane out of several runs of transactions, in order.

Arguments  lane_id
           txids - the runs, with all bounds
           at_most - null: all
Returns    rows of symphony.message. It reads no others than these
Access     private$$;
