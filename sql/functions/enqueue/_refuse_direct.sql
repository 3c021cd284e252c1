create or replace function symphony._refuse_direct(message_type text)
returns void
language plpgsql
stable
as $$
declare
    v_name  text;
    v_queue text;
begin
    select d.transport_name, d.queue_name into v_name, v_queue
    from symphony._deliveries(message_type) as d
    where d.direct
    order by d.delivery
    limit 1;
    if found then
        raise exception 'messages of type "%" are sent to their broker directly', message_type
            using errcode = 'SY022',
                  detail  = format('Transport "%s" has "outbox": false: Python publishes them, and SQL '
                                   'cannot. What has a delay, an idempotency key, an expiry or a retry '
                                   'policy goes through the database nevertheless.', v_name),
                  hint    = format('Dispatch it with Symphony(config="symphony.toml"). Or let a relay '
                                   'forward it, and name the outbox: queue_name => %L.', v_queue);
    end if;
end;
$$;

comment on function symphony._refuse_direct is
$$Refuse a message that the database does not store: all that it has is its type, body, headers,
priority and group key, and its type is routed to a transport that sends directly.

Arguments  message_type
Raises     SY022 needs_python
Access     private$$;
