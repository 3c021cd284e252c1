create or replace function symphony._elements(messages jsonb)
returns table (
    element bigint, is_plain boolean, message_type text, body jsonb, queue_name text,
    priority integer, delay interval, available_at timestamptz, idempotency_key text,
    group_key text, headers jsonb, retry jsonb
)
language sql
stable
as $$
    select given.element,
           given.raw operator(pg_catalog.-)
               '{message_type,body,queue_name,priority,delay,available_at,idempotency_key,group_key,
                 headers,retry}'::text[]
               operator(pg_catalog.=) '{}'::jsonb,
           given.message_type,
           case when given.raw operator(pg_catalog.?) 'body' then given.body else '{}' end,
           given.queue_name, given.priority, given.delay, given.available_at, given.idempotency_key,
           given.group_key, coalesce(given.headers, '{}'), given.retry
    from rows from (
        pg_catalog.jsonb_array_elements(messages),
        pg_catalog.jsonb_to_recordset(messages) as (
            message_type text, body jsonb, queue_name text, priority integer, delay interval,
            available_at timestamptz, idempotency_key text, group_key text, headers jsonb,
            retry jsonb)
    ) with ordinality as given (
        raw, message_type, body, queue_name, priority, delay,
        available_at, idempotency_key, group_key, headers, retry, element)
$$;

comment on function symphony._elements(jsonb) is
$$The messages of a batch as rows.

Arguments  messages - a JSON array of objects with the argument names of enqueue()
Returns    a row for each, numbered from 1; is_plain - it has no other keys
Access     private$$;

revoke execute on function symphony._elements(jsonb) from public;
