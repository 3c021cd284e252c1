create or replace function symphony.list_transports()
returns table (
    transport_name text, transport_type text, queue_name text, priority integer, enabled boolean,
    patterns text[], config jsonb, updated_at timestamptz, disabled_at timestamptz, disabled_by text
)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select t.transport_name, t.transport_type, t.queue_name,
           case when t.transport_type <> 'sync' then coalesce(t.priority, 5) end, t.enabled,
           array(select distinct route.pattern from symphony.route
                 where route.transport_name = t.transport_name order by route.pattern),
           t.config, t.updated_at, t.disabled_at, t.disabled_by
    from symphony.transport as t
    order by t.transport_name
$$;

comment on function symphony.list_transports is
$$The transports, by name.

Returns    a row for each. A sync transport has neither queue nor priority
           transport_name - its name
           transport_type - postgres or sync
           queue_name - the queue its messages go into
           priority - of its messages, unless enqueue() is given one
           enabled - false: its messages are held
           patterns - whose routes lead to it
           config - for clients to read
           updated_at - when it was last changed, enabled or disabled
           disabled_at - since when its messages are held; null: they are not
           disabled_by - who disabled it: the role, and the actor if one was told
Access     operator, observer$$;
