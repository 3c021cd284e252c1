create or replace function symphony._ready_keys(queue_name text, bounds jsonb, busy jsonb, taken text[])
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
        from (select each.key as group_key, each.value::bigint as bound
              from jsonb_each(bounds) as each) as key
        left join lateral symphony._head_of_key(_ready_keys.queue_name, key.group_key) as head on true
        cross join lateral symphony._first_of_key(
            _ready_keys.queue_name, key.group_key, key.bound, head.message_id) as first
        where not busy ? key.group_key
          and key.group_key not in (select t from unnest(taken) as t where t is not null));
end;
$$;

comment on function symphony._ready_keys is
$$Those keys of a queue of which something is parked that may be handed out.

Arguments  queue_name
           bounds - what _key_bounds() says
           busy - those that are in hands
           taken - those that are from now on
Access     private$$;
