create or replace function symphony._free_failed(message_ids bigint[])
returns void
language plpgsql
volatile
as $$
begin
    delete from symphony.held_key
    using symphony.queue
    where held_key.message_id = any (_free_failed.message_ids)
      and queue.queue_name = held_key.queue_name
      and queue.on_failure = 'continue'
      and exists (select from symphony.failed_message
                  where failed_message.message_id = held_key.message_id);
end;
$$;

comment on function symphony._free_failed is
$$Let the keys go of messages that failed at the end of a lease, where the queue goes on without them.

Arguments  message_ids - of a claim that is about to be settled
Writes     symphony.held_key
Access     private$$;
