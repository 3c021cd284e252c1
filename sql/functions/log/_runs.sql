create or replace function symphony._runs(
    lane_id   integer,
    take      int8multirange,
    first_run int8range,
    after_id  bigint,
    at_most   integer
)
returns setof symphony.message
language sql
stable
as $$
    /* Nearly always the first run is all there is, or has enough.  The others are then not even listed. */
    (select * from symphony._run(_runs.lane_id, first_run, coalesce(after_id, 0), at_most))
    union all
    (select rest.*
     from pg_catalog.unnest(take operator(pg_catalog.-) pg_catalog.int8multirange(first_run)) as run
     cross join lateral symphony._run(_runs.lane_id, run, 0, at_most) as rest)
    limit at_most
$$;

comment on function symphony._runs is
$$The next messages of a lane, in order.

Arguments  lane_id
           take - the transactions whose messages are wanted
           first_run - the part of them to begin with, see _first_run()
           after_id - the last message of the first of these that is already handed out, or null
           at_most - null: all
Returns    rows of symphony.message. It reads no others than these
Access     private$$;
