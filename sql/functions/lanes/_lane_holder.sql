create or replace function symphony._lane_holder(lane_id integer)
returns text
language sql
stable
as $$
    select held.who from symphony._held_locks() as held
    where held.lane_id operator(pg_catalog.=) _lane_holder.lane_id
    limit 1
$$;

comment on function symphony._lane_holder is
$$Which other session has locked a lane, as a sentence says it.

Arguments  lane_id
Returns    what _session() says; null: nobody has
Access     private$$;
