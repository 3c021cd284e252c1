create or replace function symphony._check_routed(
    message_type    text,
    body            jsonb,
    queue_name      text,
    priority        integer,
    delay           interval,
    available_at    timestamptz,
    idempotency_key text,
    headers         jsonb,
    retry           jsonb default null
)
returns void
language plpgsql
stable
as $$
declare
    v_queue_name text;
    v_priority   integer;
begin
    perform symphony._check_retry(retry);
    if queue_name is not null then
        perform symphony._refuse_message(message_type, body, queue_name, priority, delay,
                                         available_at, idempotency_key, headers);
        return;
    end if;
    for v_queue_name, v_priority in
        select distinct d.queue_name, coalesce(_check_routed.priority, d.priority)
        from symphony._deliveries(message_type) as d
        where d.transport_type <> 'sync'
    loop
        perform symphony._refuse_message(message_type, body, v_queue_name, v_priority, delay,
                                         available_at, idempotency_key, headers);
    end loop;
    if v_queue_name is null then
        raise exception 'messages of type "%" go to a sync transport only', message_type
            using errcode = 'SY022',
                  detail  = 'Its handler runs in the Python process that dispatches; SQL cannot run it.',
                  hint    = 'Dispatch it with Symphony(config="symphony.toml"), route it to a postgres '
                            'transport as well, or name a queue.';
    end if;
end;
$$;

comment on function symphony._check_routed is
$$Say what is wrong with a message that may not be enqueued, wherever its routes lead.

Arguments  as for enqueue()
Returns    only if nothing is wrong
Raises     SY001 unknown_queue
           SY004 body_too_large
           SY022 needs_python
           22023 invalid_parameter_value
Access     private$$;
