create or replace function symphony._turn_holder(turn_name text)
returns text
language sql
stable
as $$
    select held.who from symphony._held_locks() as held
    where held.turn_name operator(pg_catalog.=) _turn_holder.turn_name
    limit 1
$$;

comment on function symphony._turn_holder is
$$Which other session has a turn, as a sentence says it.

Arguments  turn_name - as for _take_turn()
Returns    what _session() says; null: nobody has it
Access     private$$;
