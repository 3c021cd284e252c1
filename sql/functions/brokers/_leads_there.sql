create or replace function symphony._leads_there(queue_name text, transport symphony.transport)
returns boolean
language sql
stable
as $$
    select queue_name is null or queue_name operator(pg_catalog.=) transport.queue_name or exists (
        select from symphony.transport as other
        where other.queue_name operator(pg_catalog.=) _leads_there.queue_name
          and other.transport_type operator(pg_catalog.=) transport.transport_type
          and coalesce(other.config operator(pg_catalog.->>) 'destination', other.transport_name)
              operator(pg_catalog.=) coalesce(transport.config operator(pg_catalog.->>) 'destination',
                                              transport.transport_name))
$$;

comment on function symphony._leads_there is
$$Whether messages of a queue go where a transport consumes: it is its outbox, or that of another one
with the same destination, as where groups of Redis share a stream.

Arguments  queue_name - null: nobody knows, and it may be
           transport - the transport
Access     private$$;
