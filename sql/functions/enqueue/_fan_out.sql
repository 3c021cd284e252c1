create or replace function symphony._fan_out(
    message_type    text,
    body            jsonb,
    priority        integer,
    delay           interval,
    available_at    timestamptz,
    idempotency_key text,
    group_key       text,
    headers         jsonb,
    retry           jsonb,
    id              bigint,
    now             timestamptz,
    options         symphony.message_options
)
returns bigint
language plpgsql
volatile
as $$
/*
 * As in enqueue() the lanes are looked up by the statement that inserts.  Should they be gone, or
 * the routes lead nowhere by then, the message is checked again.
 */
declare
    v_due      timestamptz := coalesce(_fan_out.available_at,
        case when delay between '0' and '100 years' then now + delay end, now);
    v_expires_at timestamptz := symphony._check_options(options, v_due, idempotency_key);
    v_drop     text := nullif(options.on_expiry, 'fail');
    v_known_id bigint;
    v_lanes    integer[];
begin
    perform symphony._refuse_replace() where options.on_duplicate = 'replace';
    if idempotency_key is not null then
        select symphony._first_with_key(place.queue_name, idempotency_key, id, now, place.deliveries,
                                        options.idempotency_window)
        into v_known_id
        from symphony._place_of_key(message_type, null) as place;
        if v_known_id <> id then
            return v_known_id;
        end if;
    end if;

    perform symphony._hold_queues(array(select d.queue_name from symphony._deliveries(message_type) as d));
    loop
        perform symphony._check_routed(message_type, body, null, priority, delay, available_at,
                                       idempotency_key, headers, retry);
        with placed as materialized (
            select case when row_number() over (order by d.delivery) = 1 then _fan_out.id
                        else nextval('symphony.message_id_seq') end as message_id,
                   (select lane.lane_id from symphony.lane
                    where lane.queue_name = d.queue_name and not lane.alone
                      and lane.priority = coalesce(_fan_out.priority, d.priority, 5)) as lane_id,
                   jsonb_build_object('correlation_id', _fan_out.id::text) || _fan_out.headers
                   || case when d.handler_name is null then '{}'
                           else jsonb_build_object('handler', d.handler_name) end as headers
            from symphony._deliveries(_fan_out.message_type) as d
            where d.transport_type <> 'sync'
        ), at_once as (
            insert into symphony.message (message_id, enqueued_at, lane_id, message_type, body, headers,
                                          group_key, retry, expires_at, on_expiry)
            select placed.message_id, now, placed.lane_id, _fan_out.message_type, _fan_out.body,
                   placed.headers, _fan_out.group_key, _fan_out.retry, v_expires_at, v_drop
            from placed
            where v_due <= now and not exists (select from placed where placed.lane_id is null)
        ), later as (
            insert into symphony.delayed_message (message_id, available_at, wait, enqueued_at, lane_id,
                                                  message_type, body, headers, group_key, retry,
                                                  expires_at, on_expiry)
            select placed.message_id, v_due, delay, now, placed.lane_id, _fan_out.message_type, _fan_out.body,
                   placed.headers, _fan_out.group_key, _fan_out.retry, v_expires_at, v_drop
            from placed
            where v_due > now and not exists (select from placed where placed.lane_id is null)
        )
        select array_agg(distinct placed.lane_id) into v_lanes from placed;
        exit when array_position(v_lanes, null) is null and v_lanes is not null;
    end loop;
    perform symphony._use_lanes(v_lanes);
    perform symphony._note_expiry(v_lanes) where v_expires_at is not null;
    perform symphony._wake_workers(v_lanes);
    return id;
end;
$$;

comment on function symphony._fan_out is
$$Enqueue a message once for each transport and handler that its type is routed to.

Arguments  as for enqueue(), and
           id - of the first of them
           now
           options - as for _enqueue_other()
Returns    the id of the first. The headers of all have it as correlation_id, unless the caller gave
           one
Raises     SY001 unknown_queue
           SY004 body_too_large
           SY022 needs_python
           22023 invalid_parameter_value - also where one of several deliveries is to be replaced
Writes     as enqueue() does
Access     private$$;
