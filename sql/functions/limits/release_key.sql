create or replace function symphony.release_key(queue_name text, group_key text)
returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
declare
    v_message_id bigint;
begin
    perform symphony._check_queues(array[release_key.queue_name]);
    select h.message_id into v_message_id
    from symphony.held_key as h
    where h.queue_name = release_key.queue_name and h.group_key = release_key.group_key;
    if v_message_id is not null then
        perform symphony._free_held(array[v_message_id]);
        perform symphony._audit('release_key', jsonb_build_object(
            'queue_name', queue_name, 'group_key', group_key, 'message_id', v_message_id));
    end if;
    return v_message_id;
end;
$$;

comment on function symphony.release_key is
$$Let the other messages of a key go on without the one that holds it, in an ordered queue. That one
stays where it is: when it comes back, or is replayed, it takes its turn behind what was handed out.

Arguments  queue_name - the queue
           group_key - the key
Returns    the message that held the key; null: it was not held
Raises     SY001 unknown_queue
Writes     symphony.held_key, symphony.freed_key, symphony.audit; NOTIFY if a worker sleeps
Access     operator$$;
