create or replace function symphony._is_keyed(queue symphony.queue)
returns boolean
language sql
immutable
as $$
    select queue.ordered or pg_catalog.num_nonnulls(queue.key_concurrency, queue.key_rate)
        operator(pg_catalog.>) 0
$$;

comment on function symphony._is_keyed is
$$Whether a message of a queue may have to wait for its key.

Arguments  queue - its settings
Access     private$$;
