create or replace function symphony.route_of(message_type text)
returns table (
    delivery bigint, pattern text, transport_name text, transport_type text, queue_name text,
    priority integer, handler_name text, enabled boolean
)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select d.delivery, d.pattern, d.transport_name, d.transport_type, d.queue_name,
           case when d.transport_type <> 'sync' then coalesce(d.priority, 5) end, d.handler_name,
           d.enabled
    from symphony._deliveries(route_of.message_type) as d
    order by d.delivery
$$;

comment on function symphony.route_of(text) is
$$Say where a message of this type goes if it is not given a queue.

Arguments  message_type - the type
Returns    a row for each delivery, in order
           delivery - its number, from 1
           pattern - the one that won; null: no pattern fits, so it goes to the queue "default"
           transport_name - the transport
           transport_type - its type
           queue_name - the queue it leads to
           priority - the priority it gets there
           handler_name - null: the only or first handler
           enabled - false: it is held there
Access     producer, operator, observer$$;

revoke execute on function symphony.route_of(text) from public;
