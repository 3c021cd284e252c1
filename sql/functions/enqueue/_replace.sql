create or replace function symphony._replace(
    message_id   bigint,
    message_type text,
    body         jsonb,
    headers      jsonb,
    retry        jsonb,
    delay        interval,
    available_at timestamptz,
    expires_at   timestamptz,
    options      symphony.message_options
)
returns bigint
language plpgsql
volatile
as $$
/*
 * It stays delayed, even if it is due at once: then it is moved by the way of all that are due.
 */
declare
    v_now  timestamptz := symphony._now();
    v_lane record;
begin
    if options.on_duplicate is distinct from 'replace' then
        return message_id;
    end if;
    select lane.lane_id, lane.queue_name, lane.max_body_bytes into v_lane
    from symphony.delayed_message as d
    join symphony.lane on lane.lane_id = d.lane_id
    where d.message_id = _replace.message_id;
    if not symphony._is_message(message_type, body, headers, v_lane.max_body_bytes, delay, available_at, null)
    then
        perform symphony._refuse_message(message_type, body, v_lane.queue_name, null, delay, available_at,
                                         null, headers);
    end if;
    update symphony.delayed_message as d
    set message_type = _replace.message_type, body = _replace.body, headers = _replace.headers,
        retry        = _replace.retry,
        available_at = coalesce(_replace.available_at, v_now + _replace.delay, v_now),
        wait         = _replace.delay,
        expires_at   = _replace.expires_at, on_expiry = nullif(options.on_expiry, 'fail')
    where d.message_id = _replace.message_id;
    if expires_at is not null then
        perform symphony._note_expiry(array[v_lane.lane_id]);
    end if;
    if available_at > v_now or delay > '0' then
        perform symphony._wake_for_time(v_lane.queue_name);
    else
        perform symphony._promote(array[_replace.message_id]);
    end if;
    return message_id;
end;
$$;

comment on function symphony._replace is
$$Give a message that waits for its time another content and another time, if it is to be replaced.
Its queue, priority, group_key and attempts stay.

Arguments  message_id - of the first message with the key; delayed and locked if it is to be
               replaced
           message_type, body, headers, retry, delay, available_at - as for enqueue()
           expires_at - null: never
           options - of the new message
Returns    message_id
Raises     SY004 body_too_large
           22023 invalid_parameter_value
Writes     symphony.delayed_message, or symphony.message if it is due at once; NOTIFY
Access     private$$;
