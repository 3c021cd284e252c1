create or replace function symphony._elements(messages jsonb)
returns table (
    element bigint, others jsonb, message_type text, body jsonb, queue_name text,
    priority integer, delay interval, available_at timestamptz, idempotency_key text,
    group_key text, headers jsonb, retry jsonb
)
language sql
stable
as $$
    select given.element,
           given.raw operator(pg_catalog.-)
               '{message_type,body,queue_name,priority,delay,available_at,idempotency_key,group_key,
                 headers,retry}'::text[],
           given.raw operator(pg_catalog.->>) 'message_type',
           coalesce(given.raw operator(pg_catalog.->) 'body', '{}'),
           given.raw operator(pg_catalog.->>) 'queue_name',
           (given.raw operator(pg_catalog.->>) 'priority')::integer,
           (given.raw operator(pg_catalog.->>) 'delay')::interval,
           (given.raw operator(pg_catalog.->>) 'available_at')::timestamptz,
           given.raw operator(pg_catalog.->>) 'idempotency_key',
           given.raw operator(pg_catalog.->>) 'group_key',
           coalesce(nullif(given.raw operator(pg_catalog.->) 'headers', 'null'), '{}'),
           nullif(given.raw operator(pg_catalog.->) 'retry', 'null')
    from pg_catalog.jsonb_array_elements(messages) with ordinality as given (raw, element)
    offset 0    -- else whoever uses a column twice computes it twice
$$;

comment on function symphony._elements is
$$The messages of a batch as rows.

Arguments  messages - a JSON array of objects with the argument names of enqueue()
Returns    a row for each, numbered from 1
           others - what it has besides: message_options, or keys that there are not
Access     private$$;
