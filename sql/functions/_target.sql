create or replace function symphony._target(
    message_type   text,
    out is_simple  boolean,
    out queue_name text,
    out priority   integer
)
language sql
stable
as $$
    select pg_catalog.count(*) operator(pg_catalog.=) 1
           and pg_catalog.count(d.handler_name) operator(pg_catalog.=) 0,
           pg_catalog.min(d.queue_name), pg_catalog.min(d.priority)
    from symphony._deliveries(message_type) as d
    where d.transport_type operator(pg_catalog.=) 'postgres'
$$;

comment on function symphony._target(text) is
$$The one queue that a message of a type goes to, if it is one.

Arguments  message_type
Returns    is_simple - it is one delivery, to no handler in particular; then queue_name, and
           priority, null: any. Else _fan_out() is to be called
Access     private$$;

revoke execute on function symphony._target(text) from public;
