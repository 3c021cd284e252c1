create or replace function symphony._free_keys(message_ids bigint[])
returns void
language plpgsql
volatile
as $$
/*
 * The keys are locked in the order in which _enqueue_each() takes them.
 */
begin
    with theirs as materialized (
        select k.queue_name, k.key
        from unnest(_free_keys.message_ids) as gone (message_id)
        join symphony.idempotency_key as k on k.message_id = gone.message_id
        where k.deliveries = 1
        order by k.queue_name, k.key
        for update of k
    )
    delete from symphony.idempotency_key as free
    using theirs
    where free.queue_name = theirs.queue_name and free.key = theirs.key;
end;
$$;

comment on function symphony._free_keys is
$$Free the idempotency keys of messages that were taken away. They will not be worked on, so the next
message with such a key is not a duplicate. A key that stands for several deliveries stays in use.

Arguments  message_ids - null: does nothing
Writes     symphony.idempotency_key
Access     private$$;
