create or replace function symphony._is_gated(queue symphony.queue)
returns boolean
language sql
immutable
as $$
    select queue.ordered or pg_catalog.num_nonnulls(
        queue.key_concurrency, queue.concurrency, queue.rate, queue.key_rate) operator(pg_catalog.>) 0
$$;

comment on function symphony._is_gated is
$$Whether a queue is ordered or has a limit, so that its claims go through the gate.

Arguments  queue - its settings
Access     private$$;
