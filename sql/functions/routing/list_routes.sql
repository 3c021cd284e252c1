create or replace function symphony.list_routes()
returns table (
    pattern text, transport_name text, handler_name text, transport_type text, queue_name text,
    priority integer, enabled boolean
)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select route.pattern, route.transport_name, route.handler_name, t.transport_type, t.queue_name,
           case when t.transport_type <> 'sync' then coalesce(t.priority, 5) end, t.enabled
    from symphony.route
    join symphony.transport as t on t.transport_name = route.transport_name
    order by route.pattern = '*', route.pattern, route.route_id
$$;

comment on function symphony.list_routes is
$$The routes, by pattern; * comes last. Those of one pattern are in the order of their deliveries.

Returns    a row for each route
           pattern - a message type, a group, or *
           transport_name - the transport it leads to
           handler_name - null: every handler that no other route of the pattern names
           transport_type - the type of the transport
           queue_name - its queue
           priority - its priority
           enabled - false: its messages are held
Access     operator, observer$$;
