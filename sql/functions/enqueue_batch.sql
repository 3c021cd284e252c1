create or replace function symphony.enqueue_batch(messages jsonb)
returns setof bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
/*
 * One pass over the array.  An element that breaks a rule gets no lane, the log refuses a row
 * without one, and only then the elements are looked at one by one to say which it was.
 */
declare
    v_now   timestamptz := symphony._now();
    v_ids   bigint[];
    v_lanes integer[];
begin
    if jsonb_typeof(messages) is distinct from 'array' then
        raise exception 'messages must be a JSON array'
            using errcode = 'SY005',
                  detail  = format('It is %s.', coalesce(jsonb_typeof(messages), 'null')),
                  hint    = 'Write ''[{"message_type": "SendEmail", "body": {"to": "ada"}}]''.';
    end if;
    if jsonb_path_exists(messages, '$[*].idempotency_key') then
        return query
        select symphony.enqueue(message_type, body, queue_name, priority, delay, available_at,
                                idempotency_key, group_key, headers)
        from symphony._elements(messages)
        where is_plain or symphony._refuse_batch(messages);
        return;
    end if;

    with element as materialized (
        select nextval('symphony.message_id_seq') as message_id,
               coalesce(available_at, v_now + delay, v_now) as due,
               (select lane.lane_id
                from symphony.lane
                join symphony.queue on queue.queue_name = lane.queue_name
                where lane.queue_name = given.queue_name
                  and lane.priority = given.priority
                  and not lane.alone
                  and given.is_plain
                  and symphony._is_message(message_type, body, headers, queue.max_body_bytes,
                                           delay, available_at, idempotency_key)) as lane_id,
               given.*
        from symphony._elements(messages) as given
    ), at_once as (
        insert into symphony.message (message_id, enqueued_at, lane_id,
                                      message_type, body, headers, group_key)
        select message_id, v_now, lane_id, message_type, body, headers, group_key
        from element
        where due <= v_now
    ), later as (
        insert into symphony.delayed_message (message_id, available_at, enqueued_at, lane_id,
                                              message_type, body, headers, group_key)
        select message_id, due, v_now, lane_id, message_type, body, headers, group_key
        from element
        where due > v_now
    )
    select array_agg(message_id), array_agg(distinct lane_id) into v_ids, v_lanes
    from element;
    perform symphony._use_lane(lane.queue_name, lane.priority)
    from symphony.lane
    where lane.lane_id = any (v_lanes) and not lane.is_used;
    perform symphony._wake_workers(v_lanes);
    return query select unnest(v_ids);
exception
    when others then
        perform symphony._refuse_batch(messages);
        raise;
end;
$$;

comment on function symphony.enqueue_batch(jsonb) is
$$Put many messages into queues at once, as part of the caller's transaction: all of them or none.

Arguments  messages - a JSON array of objects whose keys are the arguments of enqueue()
Returns    the ids of the messages, in the order of the array
Raises     SY005 malformed_batch - the detail says which element, counted from 1, and why
Writes     as enqueue() does
Access     producer$$;

revoke execute on function symphony.enqueue_batch(jsonb) from public;
