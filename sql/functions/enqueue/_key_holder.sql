create or replace function symphony._key_holder(
    queue_name text,
    key        text,
    message_id bigint,
    now        timestamptz,
    options    symphony.message_options
)
returns bigint
language plpgsql
volatile
as $$
/*
 * Whoever replaces locks the message before its key, as cancel() does.  tick() may have moved the message
 * meanwhile, and another one may have taken the key: then it looks again.
 */
declare
    v_first_id  bigint;
    v_holder_id bigint;
begin
    loop
        v_first_id := symphony._first_with_key(queue_name, key, message_id, now, 1,
                                               options.idempotency_window);
        if v_first_id = message_id or options.on_duplicate is distinct from 'replace' then
            return v_first_id;
        end if;
        perform from symphony.delayed_message as d where d.message_id = v_first_id for update;
        v_holder_id := case when found then v_first_id else _key_holder.message_id end;
        update symphony.idempotency_key as known
        set message_id = v_holder_id, deliveries = 1,
            expires_at = _key_holder.now + coalesce(options.idempotency_window, queue.idempotency_window)
        from symphony.queue
        where queue.queue_name = _key_holder.queue_name
          and known.queue_name = _key_holder.queue_name and known.key = _key_holder.key
          and known.message_id = v_first_id and (known.deliveries = 1 or v_holder_id <> v_first_id);
        if found then
            return v_holder_id;
        elsif exists (
            select from symphony.idempotency_key as known
            where known.queue_name = _key_holder.queue_name and known.key = _key_holder.key
              and known.message_id = v_first_id)
        then
            perform symphony._refuse_replace();
        end if;
    end loop;
end;
$$;

comment on function symphony._key_holder is
$$Take an idempotency key for a message, or find out which message has it, or which one it replaces.

Arguments  queue_name
           key
           message_id - the one that wants it
           now
           options - of the message
Returns    message_id if the key is its own now, or the id of the message that has the key. With
           on_duplicate => 'replace' the latter waits for its time, and is locked
Raises     what _refuse_replace() raises
Writes     symphony.idempotency_key
Locks      the delayed message, and then its key, if it is to be replaced
Access     private$$;
