create or replace function symphony._first_of_key(
    queue_name text,
    group_key  text,
    bound      bigint,
    held_by    bigint
)
returns setof symphony.parked
language sql
stable
as $$
    (select parked.* from symphony.parked
     where held_by is null
       and parked.queue_name operator(pg_catalog.=) _first_of_key.queue_name
       and parked.group_key operator(pg_catalog.=) _first_of_key.group_key
       and parked.place operator(pg_catalog.>=) bound
     order by parked.place, parked.ordinal
     limit 1)
    union all
    select parked.* from symphony.parked
    where parked.message_id operator(pg_catalog.=) held_by
$$;

comment on function symphony._first_of_key is
$$What is to be handed out next of that which is parked of a key.

Arguments  queue_name
           group_key
           bound - what _key_bounds() says of the key
           held_by - the message that holds it; null: it is not held
Returns    one row: the first one, or the head of a key that is held. Without a row there is none
Access     private$$;
