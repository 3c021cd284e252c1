create or replace function symphony._free_held(message_ids bigint[])
returns void
language plpgsql
volatile
as $$
begin
    with freed as (
        delete from symphony.held_key
        where held_key.message_id = any (message_ids)
        returning held_key.queue_name, held_key.group_key
    )
    insert into symphony.freed_key (queue_name, group_key)
    select freed.queue_name, freed.group_key from freed;
    if found then
        perform symphony._wake_for_freed_keys();
    end if;
end;
$$;

comment on function symphony._free_held is
$$Let the keys go that messages hold which are gone, or whose failure no longer holds up others.

Arguments  message_ids - null: does nothing
Writes     symphony.held_key, symphony.freed_key; NOTIFY if a worker sleeps and something waits
Access     private$$;
