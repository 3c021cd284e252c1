create or replace function symphony._broker_of(queue_name text)
returns text
language sql
stable
as $$
    select transport.transport_name
    from symphony.transport
    where transport.queue_name operator(pg_catalog.=) _broker_of.queue_name
      and symphony._is_broker(transport.transport_type)
$$;

comment on function symphony._broker_of is
$$The transport that forwards the messages of a queue to a broker.

Arguments  queue_name
Returns    its name; null: it is an ordinary queue, and no outbox
Access     private$$;
