create or replace function symphony._first_with_key(
    queue_name text,
    key        text,
    message_id bigint,
    now        timestamptz,
    expires_at timestamptz
)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
/*
 * The insert waits for a concurrent message with the same key, and then either takes the
 * key (that one was rolled back) or leaves it (it was committed).  The loop is for a key that
 * is purged between the two statements.
 */
declare
    v_first_id bigint;
begin
    loop
        insert into symphony.idempotency_key as known (queue_name, key, message_id, expires_at)
        values (_first_with_key.queue_name, _first_with_key.key, _first_with_key.message_id,
                _first_with_key.expires_at)
        on conflict on constraint idempotency_key_pkey do update
            set message_id = excluded.message_id, expires_at = excluded.expires_at
            where known.expires_at <= _first_with_key.now
        returning known.message_id into v_first_id;
        exit when found;

        select known.message_id into v_first_id
        from symphony.idempotency_key as known
        where known.queue_name = _first_with_key.queue_name and known.key = _first_with_key.key;
        exit when found;
    end loop;
    return v_first_id;
end;
$$;

comment on function symphony._first_with_key(text, text, bigint, timestamptz, timestamptz) is
$$Take an idempotency key for a message, or find out which message has it.

Arguments  queue_name, key; message_id - the one that wants it; now; expires_at - how long it is kept
Returns    message_id, or the id of the message that has the key
Writes     symphony.idempotency_key
Access     private$$;

revoke execute on function
    symphony._first_with_key(text, text, bigint, timestamptz, timestamptz) from public;
