create or replace function symphony._is_direct(transport symphony.transport)
returns boolean
language sql
immutable
as $$
    select transport.enabled
           and symphony._is_broker(transport.transport_type)
           and coalesce(transport.config operator(pg_catalog.->>) 'outbox'
                        operator(pg_catalog.=) 'false', false)
$$;

comment on function symphony._is_direct is
$$Whether whoever dispatches sends the messages of a transport to its broker himself. What a
disabled one takes is stored.

Arguments  transport
Access     private$$;
