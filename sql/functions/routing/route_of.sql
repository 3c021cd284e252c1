create or replace function symphony.route_of(message_type text, transport text default null)
returns table (
    delivery bigint, pattern text, transport_name text, transport_type text, queue_name text,
    priority integer, handler_name text, enabled boolean, direct boolean, max_attempts integer
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
    if route_of.transport is not null and not exists (
        select from symphony.transport as t where t.transport_name = route_of.transport)
    then
        perform symphony._refuse_transport(route_of.transport);
    end if;
    return query
    select d.delivery, d.pattern, d.transport_name, d.transport_type, d.queue_name,
           case when d.transport_type <> 'sync' then coalesce(d.priority, 5) end, d.handler_name,
           d.enabled, d.direct,
           (select rule.max_attempts
            from symphony._retry_rule(route_of.message_type, d.queue_name, null) as rule
            where d.transport_type <> 'sync')
    from (
        select * from symphony._deliveries(route_of.message_type) where route_of.transport is null
        union all
        select 1, null, t.transport_name, t.transport_type, t.queue_name, t.priority, null, t.enabled,
               symphony._is_direct(t)
        from symphony.transport as t
        where t.transport_name = route_of.transport
    ) as d
    order by d.delivery;
end;
$$;

comment on function symphony.route_of is
$$Say where a message of this type goes if it is not given a queue.

Arguments  message_type - the type
           transport - the name of one that it is given; null: none, so it takes its routes
Returns    a row for each delivery, in order
           delivery - its number, from 1
           pattern - the one that won; null: no pattern fits, so it goes to the queue "default"
           transport_name - the transport
           transport_type - its type
           queue_name - the queue it leads to
           priority - the priority it gets there
           handler_name - null: the only or first handler
           enabled - false: it is held there
           direct - true: Python publishes it at once; the queue has what waits or is retried
           max_attempts - how often it is tried, unless enqueue() is told otherwise
Raises     SY020 unknown_transport
Access     producer, operator, observer$$;
