create or replace function symphony._config()
returns jsonb
language sql
stable
as $$
    select coalesce(pg_catalog.jsonb_object_agg(thing.kind operator(pg_catalog.||) ' '
                                                operator(pg_catalog.||) thing.name, thing.value), '{}')
    from (
        select 'queue' as kind, queue.queue_name as name,
               pg_catalog.to_jsonb(queue) operator(pg_catalog.-)
               '{queue_name,paused_at,paused_by,created_at}'::text[] as value
        from symphony.queue
        union all
        select 'transport', transport.transport_name, pg_catalog.jsonb_build_object(
            'type', transport.transport_type, 'queue', transport.queue_name,
            'priority', transport.priority, 'config', transport.config, 'enabled', transport.enabled)
        from symphony.transport
        union all
        select 'route', route.pattern, pg_catalog.jsonb_agg(
            case when route.handler_name is null then pg_catalog.to_jsonb(route.transport_name)
                 else pg_catalog.jsonb_build_object('transport', route.transport_name,
                                                    'handler', route.handler_name)
            end order by route.route_id)
        from symphony.route
        group by route.pattern
        union all
        select 'retry', policy.pattern, pg_catalog.to_jsonb(policy) operator(pg_catalog.-) 'pattern'
        from symphony.retry_policy as policy
    ) as thing
$$;

comment on function symphony._config is
$$Queues, transports, routes and retry policies as one object, by kind and name.

Returns    one object; its keys are kind and name, such as "queue mail"
Access     private$$;
