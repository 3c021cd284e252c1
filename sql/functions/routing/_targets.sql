create or replace function symphony._targets(messages jsonb)
returns table (
    message_type text, is_simple boolean, is_direct boolean, queue_name text, priority integer
)
language sql
stable
as $$
    select given.message_type, target.is_simple, target.is_direct, target.queue_name, target.priority
    from (
        select distinct element.message_type
        from symphony._elements(messages) as element
        where element.queue_name is null
    ) as given
    cross join lateral symphony._target(given.message_type) as target
$$;

comment on function symphony._targets is
$$Where the message types of a batch go, those that are not given a queue.

Arguments  messages - as for enqueue_batch()
Returns    a row for each type, as _target() says
Access     private$$;
