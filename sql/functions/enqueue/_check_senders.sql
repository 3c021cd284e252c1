create or replace function symphony._check_senders(messages jsonb)
returns void
language plpgsql
stable
as $$
begin
    perform symphony._check_sender(sent.message_type, sent.queue_name)
    from (select distinct each ->> 'message_type' as message_type, each ->> 'queue_name' as queue_name
          from jsonb_array_elements(messages) as each
          where jsonb_typeof(each) = 'object') as sent;
end;
$$;

comment on function symphony._check_senders is
$$Refuse a caller who is limited to some queues and enqueues into others. It reads nothing but the
names, so it says this whatever else is wrong with the batch.

Arguments  messages - as for enqueue_batch()
Raises     42501 insufficient_privilege
Access     private$$;
