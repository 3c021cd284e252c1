create or replace function symphony._is_broker(transport_type text)
returns boolean
language sql
immutable
as $$
    select coalesce(
        _is_broker.transport_type operator(pg_catalog.=) any ('{redis,rabbitmq,sqs}'::text[]), false)
$$;

comment on function symphony._is_broker is
$$Whether transports of a type lead to a broker.

Arguments  transport_type - null: no
Access     private$$;
