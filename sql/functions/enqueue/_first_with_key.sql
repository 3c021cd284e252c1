create or replace function symphony._first_with_key(
    queue_name text,
    key        text,
    message_id bigint,
    now        timestamptz,
    deliveries integer default 1,
    idempotency_window interval default null
)
returns bigint
language plpgsql
volatile
as $$
/*
 * A key in use is only read: a lock would make duplicates wait for each other.  The insert waits
 * for a concurrent message with the same key, and then either takes the key (that one was rolled
 * back) or leaves it (it was committed), and the loop finds it.
 */
declare
    v_first_id bigint;
begin
    if octet_length(key) not between 1 and 512 or not exists (
        select from symphony.queue where queue.queue_name = _first_with_key.queue_name)
    then
        return message_id;
    end if;
    loop
        select known.message_id into v_first_id
        from symphony.idempotency_key as known
        where known.queue_name = _first_with_key.queue_name and known.key = _first_with_key.key
          and known.expires_at > _first_with_key.now;
        exit when found;

        insert into symphony.idempotency_key as known (queue_name, key, message_id, expires_at,
                                                       deliveries)
        select queue.queue_name, _first_with_key.key, _first_with_key.message_id,
               _first_with_key.now + coalesce(_first_with_key.idempotency_window, queue.idempotency_window),
               _first_with_key.deliveries
        from symphony.queue
        where queue.queue_name = _first_with_key.queue_name
        on conflict on constraint idempotency_key_pkey do update
            set message_id = excluded.message_id, expires_at = excluded.expires_at,
                deliveries = excluded.deliveries
            where known.expires_at <= _first_with_key.now
        returning known.message_id into v_first_id;
        exit when found;
    end loop;
    return v_first_id;
end;
$$;

comment on function symphony._first_with_key is
$$Take an idempotency key for a message, or find out which message has it.

Arguments  queue_name
           key
           message_id - the one that wants it
           now
           deliveries - how many messages it stands for
           idempotency_window - how long it is in use; null: as long as the queue says
Returns    message_id, or the id of the message that has the key. It is message_id too if the queue
           or the key cannot be, since enqueue() will say so
Writes     symphony.idempotency_key
Access     private$$;
