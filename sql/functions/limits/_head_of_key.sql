create or replace function symphony._head_of_key(queue_name text, group_key text)
returns table (message_id bigint)
language sql
stable
as $$
    /* A join with held_key that was planned while little was held may walk over all that is. */
    select held_key.message_id
    from symphony.held_key
    where held_key.queue_name operator(pg_catalog.=) _head_of_key.queue_name
      and held_key.group_key operator(pg_catalog.=) _head_of_key.group_key
    limit 1
$$;

comment on function symphony._head_of_key is
$$Which message holds a key, since it did not succeed.

Arguments  queue_name
           group_key
Returns    one row. Without a row the key is not held
Access     private$$;
