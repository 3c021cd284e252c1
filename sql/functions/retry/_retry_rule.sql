create or replace function symphony._retry_rule(message_type text, queue_name text, retry jsonb)
returns table (
    max_attempts integer, delay interval, multiplier double precision, max_delay interval,
    jitter double precision
)
language sql
stable
as $$
    select coalesce(call.max_attempts, type.max_attempts, queue.max_attempts, base.max_attempts),
           coalesce(call.delay, type.delay, queue.retry_delay, base.delay),
           coalesce(call.multiplier, type.multiplier, queue.retry_multiplier, base.multiplier),
           coalesce(call.max_delay, type.max_delay, queue.retry_max_delay, base.max_delay),
           coalesce(call.jitter, type.jitter, queue.retry_jitter, base.jitter)
    from symphony.retry_policy as base
    left join symphony.queue on queue.queue_name operator(pg_catalog.=) _retry_rule.queue_name
    left join lateral symphony._retry_policy(_retry_rule.message_type) as type on true
    cross join lateral pg_catalog.jsonb_to_record(coalesce(retry, '{}')) as call (
        max_attempts integer, delay interval, multiplier double precision, max_delay interval,
        jitter double precision)
    where base.pattern operator(pg_catalog.=) '*'
$$;

comment on function symphony._retry_rule is
$$How a message is retried: each value by the first of the call, its type, its queue and * to have it.

Arguments  message_type
           queue_name
           retry - as enqueue() was told, or null
Returns    one row with the values
Access     private$$;
