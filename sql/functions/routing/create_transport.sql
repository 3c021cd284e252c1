create or replace function symphony.create_transport(
    transport_name text,
    transport_type text default 'postgres',
    queue_name     text default null,
    priority       integer default null,
    config         jsonb default '{}'
)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_type       text := coalesce(create_transport.transport_type, 'postgres');
    v_is_broker  boolean := symphony._is_broker(v_type);
    v_queue_name text := case when v_type = 'sync' then create_transport.queue_name
                              when v_is_broker
                              then coalesce(create_transport.queue_name, 'outbox/' || transport_name)
                              else coalesce(create_transport.queue_name, 'default') end;
    v_before     symphony.transport;
begin
    if v_is_broker then
        perform symphony._check_transport_config(v_type, create_transport.config);
    elsif v_type <> 'sync' and not exists (
        select from symphony.queue as q where q.queue_name = v_queue_name)
    then
        perform symphony._refuse_queue(v_queue_name);
    end if;
    perform symphony._take_turn('routes', wait => true);
    select * into v_before
    from symphony.transport as t
    where t.transport_name = create_transport.transport_name
    for no key update;
    if v_is_broker then
        perform symphony._make_outbox(transport_name, v_queue_name, (config ->> 'ordered')::boolean);
    end if;

    insert into symphony.transport as t (transport_name, transport_type, queue_name, priority, config)
    values (create_transport.transport_name, v_type, v_queue_name, create_transport.priority,
            coalesce(create_transport.config, '{}'))
    on conflict on constraint transport_pkey do update
        set transport_type = excluded.transport_type, queue_name = excluded.queue_name,
            priority = excluded.priority, config = excluded.config, updated_at = symphony._now()
        where (t.transport_type, t.queue_name, t.priority, t.config) is distinct from
              (excluded.transport_type, excluded.queue_name, excluded.priority, excluded.config);
    if found then
        perform symphony._audit('create_transport', jsonb_build_object(
            'transport_name', transport_name, 'transport_type', v_type, 'queue_name', v_queue_name,
            'priority', priority, 'config', case when config <> '{}' then '(told)' end));
    end if;
    perform symphony._hold_lanes(touched.queue_name)
    from (select distinct unnest(array[v_before.queue_name, v_queue_name]) as queue_name
          order by queue_name) as touched;
    return v_before.transport_name is null;
exception
    when check_violation or not_null_violation or numeric_value_out_of_range then
        raise exception 'transport "%" cannot be created',
                        coalesce(create_transport.transport_name, '(null)')
            using errcode = '22023',
                  detail  = format('Nothing was changed: %s.', sqlerrm),
                  hint    = 'A name has 1 to 48 letters, digits and _ . : / -; the type is postgres, sync, '
                            'redis, rabbitmq or sqs; a sync transport has no queue and is not disabled; the '
                            'priority is 0 to 9; the config is a JSON object.';
end;
$$;

comment on function symphony.create_transport is
$$Make sure that there is a transport with these properties. A disabled one stays disabled.

Arguments  transport_name - 1 to 48 letters, digits and _ . : / -
           transport_type - postgres; sync: the handler runs in the process that dispatches; or a
               broker, redis, rabbitmq or sqs: a relay forwards its messages
           queue_name - the queue its messages go into; null: default. Of a broker it is the outbox,
               which is created: null: outbox/ and the name of the transport
           priority - of its messages, unless enqueue() is given one; null: 5
           config - for clients to read. A broker has the settings of docs/brokers.md
Returns    true if it was created, false if it was there
Raises     SY001 unknown_queue
           SY011 wrong_isolation_level
           22023 invalid_parameter_value
           55000 object_not_in_prerequisite_state - the queue is the outbox of another broker
Writes     symphony.transport, symphony.lane, symphony.audit; for a broker also what create_queue()
           writes
Access     operator$$;
