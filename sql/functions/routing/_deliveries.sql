create or replace function symphony._deliveries(message_type text)
returns table (
    delivery bigint, pattern text, transport_name text, transport_type text, queue_name text,
    priority integer, handler_name text, enabled boolean, direct boolean
)
language sql
stable
as $$
    with best as materialized (
        select route.pattern
        from symphony.route
        where symphony._is_match(route.pattern, _deliveries.message_type)
        order by route.pattern operator(pg_catalog.=) _deliveries.message_type desc,
                 pg_catalog.length(route.pattern) desc
        limit 1
    ), target as materialized (
        select route.route_id, route.pattern, transport.transport_name, transport.transport_type,
               transport.queue_name, transport.priority::integer, route.handler_name, transport.enabled,
               symphony._is_direct(transport) as direct
        from best
        join symphony.route on route.pattern operator(pg_catalog.=) best.pattern
        join symphony.transport on transport.transport_name operator(pg_catalog.=) route.transport_name
        union all
        select 0, null, null, 'postgres', 'default', null, null, true, false
        where not exists (select from best)
    )
    select pg_catalog.row_number() over (order by target.route_id, handler.handler_id),
           target.pattern, target.transport_name, target.transport_type, target.queue_name,
           target.priority, coalesce(target.handler_name, handler.handler_name), target.enabled,
           target.direct
    from target
    left join symphony.handler
        on target.handler_name is null
        and handler.message_type operator(pg_catalog.=) _deliveries.message_type
        and not exists (
            select from target as other
            where other.handler_name operator(pg_catalog.=) handler.handler_name)
$$;

comment on function symphony._deliveries is
$$Where a message of a type goes if it is not given a queue: at least one row.

Arguments  message_type
Returns    a row for each transport and handler, in order. Without a route it is the queue "default"
Access     private$$;
