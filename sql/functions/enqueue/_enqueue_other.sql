create or replace function symphony._enqueue_other(
    message_type    text,
    body            jsonb,
    queue_name      text,
    priority        integer,
    delay           interval,
    available_at    timestamptz,
    idempotency_key text,
    group_key       text,
    headers         jsonb,
    retry           jsonb,
    id              bigint,
    options         symphony.message_options default null
)
returns bigint
language plpgsql
volatile
as $$
/*
 * As in enqueue() the lane is looked up by the statement that inserts.  A message of an old
 * snapshot takes the queue first, and always notifies: the snapshot cannot see who sleeps.
 */
declare
    v_now        timestamptz := symphony._now();
    v_due        timestamptz := coalesce(_enqueue_other.available_at,
        case when delay between '0' and '100 years' then v_now + delay end);
    v_queue_name text := coalesce(_enqueue_other.queue_name, 'default');
    v_expires_at timestamptz := case when not (options is null)
        then symphony._check_options(options, v_due, idempotency_key) end;
    v_drop       text := nullif(options.on_expiry, 'fail');
    v_first_id   bigint;
    v_lane_id    integer;
begin
    retry := case when retry is not null and symphony._check_retry(retry) then retry end;
    if idempotency_key is not null then
        if _enqueue_other.queue_name is null and symphony._is_routed() then
            return symphony._enqueue_routed(message_type, body, priority, delay, available_at,
                                            idempotency_key, group_key, headers, retry, id, options);
        end if;
        v_first_id := symphony._key_holder(v_queue_name, idempotency_key, id, v_now, options);
        if v_first_id <> id then
            return symphony._replace(v_first_id, message_type, body, headers, retry, delay, available_at,
                                     v_expires_at, options);
        end if;
    end if;
    if current_setting('transaction_isolation') not like 'read%' then
        perform symphony._notify(queue.queue_name, '')
        from symphony.queue where queue.queue_name = v_queue_name for key share;
    end if;
    if v_due > v_now then
        insert into symphony.delayed_message (message_id, available_at, wait, enqueued_at, lane_id,
                                              message_type, body, headers, group_key, retry,
                                              expires_at, on_expiry)
        select id, v_due, delay, v_now, lane.lane_id, message_type, body, headers, group_key, retry,
               v_expires_at, v_drop
        from symphony.lane
        where lane.queue_name = v_queue_name
          and lane.priority = coalesce(_enqueue_other.priority, 5)
          and not lane.alone
          and (_enqueue_other.queue_name is not null or idempotency_key is not null or lane.is_unrouted)
          and symphony._is_message(message_type, body, headers, lane.max_body_bytes, delay,
                                   available_at, idempotency_key)
        returning delayed_message.lane_id into v_lane_id;
    else
        insert into symphony.message (message_id, enqueued_at, lane_id, message_type, body, headers,
                                      group_key, retry, expires_at, on_expiry)
        select id, v_now, lane.lane_id, message_type, body, headers, group_key, retry, v_expires_at, v_drop
        from symphony.lane
        where lane.queue_name = v_queue_name
          and lane.priority = coalesce(_enqueue_other.priority, 5)
          and not lane.alone
          and (_enqueue_other.queue_name is not null or idempotency_key is not null or lane.is_unrouted)
          and symphony._is_message(message_type, body, headers, lane.max_body_bytes, delay,
                                   available_at, idempotency_key)
        returning message.lane_id into v_lane_id;
    end if;
    if not found then
        if _enqueue_other.queue_name is null and idempotency_key is null then
            return symphony._enqueue_routed(message_type, body, priority, delay, available_at,
                                            idempotency_key, group_key, headers, retry, id, options);
        end if;
        perform symphony._refuse_message(message_type, body, v_queue_name, priority, delay,
                                         available_at, idempotency_key, headers);
        raise exception 'queue "%" is not as it was a moment ago', v_queue_name
            using errcode = '40001', detail = 'Nothing was enqueued.',
                  hint = 'Try again. If that does not help, look into: select * from symphony.check().';
    end if;
    if _enqueue_other.priority <> 5 then
        perform symphony._use_lane(v_queue_name, _enqueue_other.priority);
    end if;
    perform symphony._note_expiry(array[v_lane_id]) where v_expires_at is not null;
    if (v_due > v_now) is not true then
        perform symphony._wake_workers(array[v_lane_id], 1);
    else
        perform symphony._wake_for_time(v_queue_name);
    end if;
    return id;
end;
$$;

comment on function symphony._enqueue_other is
$$Enqueue a message that is not like most: with a delay, a key, a route, or a lane not used yet.

Arguments  as for enqueue(), and
           id - of the message, or of the first of several
           options - null: it has neither an expiry nor options of its key
Returns    as enqueue() does
Raises     SY001 unknown_queue
           SY004 body_too_large
           SY022 needs_python
           22023 invalid_parameter_value
           40001 serialization_failure - the queue was dropped and created again meanwhile
Writes     as enqueue() does
Access     private$$;
