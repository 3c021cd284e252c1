create or replace function symphony._free_keys(message_ids bigint[])
returns void
language plpgsql
volatile
as $$
begin
    delete from symphony.idempotency_key
    using unnest(_free_keys.message_ids) as gone (message_id)
    where idempotency_key.message_id = gone.message_id
      and idempotency_key.deliveries = 1;
end;
$$;

comment on function symphony._free_keys(bigint[]) is
$$Free the idempotency keys of messages that were taken away. They will not be worked on, so the next
message with such a key is not a duplicate. A key that stands for several deliveries stays in use.

Arguments  message_ids - null: does nothing
Writes     symphony.idempotency_key
Access     private$$;

revoke execute on function symphony._free_keys(bigint[]) from public;
