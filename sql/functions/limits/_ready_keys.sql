create or replace function symphony._ready_keys(queue_name text, keys text[], busy jsonb, taken text[])
returns text[]
language plpgsql
stable
as $$
/*
 * What is in hands is looked at again when it is let go, and a key that is held when its head is done.
 */
begin
    return array(
        select key.group_key
        from (select distinct given.group_key from unnest(keys) as given (group_key)) as key
        cross join lateral (
            select parked.message_id from symphony.parked
            where parked.queue_name = _ready_keys.queue_name and parked.group_key = key.group_key
            order by parked.place, parked.ordinal
            limit 1
        ) as first
        left join symphony.held_key
            on held_key.queue_name = _ready_keys.queue_name and held_key.group_key = key.group_key
        where not busy ? key.group_key
          and key.group_key not in (select t from unnest(taken) as t where t is not null)
          and (held_key.message_id is null or held_key.message_id = first.message_id));
end;
$$;

comment on function symphony._ready_keys(text, text[], jsonb, text[]) is
$$Those keys of a queue of which something is parked that may be handed out.

Arguments  queue_name
           keys - to look at
           busy - those that are in hands
           taken - those that are from now on
Access     private$$;

revoke execute on function symphony._ready_keys(text, text[], jsonb, text[]) from public;
