create or replace function symphony.first_receipt(transport_name text, message_key text)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
/*
 * Whoever comes second waits here until the first has committed, or has not.
 */
begin
    perform symphony._inbox_of(first_receipt.transport_name);
    if message_key is null or octet_length(message_key) not between 1 and 1024 then
        raise exception 'message_key must have 1 to 1024 bytes'
            using errcode = '22023',
                  detail  = 'It is what the broker knows the message by.',
                  hint    = 'Give the id of the message.';
    end if;
    insert into symphony.inbox (transport_name, message_key, received_at)
    values (first_receipt.transport_name, first_receipt.message_key, symphony._now())
    on conflict on constraint inbox_pkey do nothing;
    return found;
end;
$$;

comment on function symphony.first_receipt is
$$Note that a delivery of a broker takes effect, in the transaction of that effect. A broker may hand
a message out twice; the second receipt is told to do nothing.

Arguments  transport_name - the transport it came by
           message_key - the id of the message, or the broker's, 1 to 1024 bytes
Returns    true the first time; false when an effect is committed already. It waits for another
           transaction that is at it
Raises     SY020 unknown_transport
           22023 invalid_parameter_value
           55000 object_not_in_prerequisite_state - the transport leads to no broker
           42501 insufficient_privilege - the caller may use some queues, and not its outbox
Writes     symphony.inbox
Access     consumer$$;
