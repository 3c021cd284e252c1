create or replace function symphony._enqueue_routed(
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
    options         symphony.message_options
)
returns bigint
language plpgsql
volatile
as $$
declare
    v_target record;
begin
    select * into v_target from symphony._target(message_type);
    if v_target.is_direct and delay is null and available_at is null and idempotency_key is null
       and retry is null and options is null
    then
        perform symphony._refuse_direct(message_type);
    elsif v_target.is_simple then
        return symphony._enqueue_other(message_type, body, v_target.queue_name,
                                       coalesce(priority, v_target.priority), delay, available_at,
                                       idempotency_key, group_key, headers, retry, id, options);
    end if;
    return symphony._fan_out(message_type, body, priority, delay, available_at,
                             idempotency_key, group_key, headers, retry, id, symphony._now(), options);
end;
$$;

comment on function symphony._enqueue_routed is
$$Enqueue a message that names no queue where the routes of its type lead, or else into "default".

Arguments  as for enqueue(), and
           id - of the message, or of the first of several
           options - as for _enqueue_other()
Returns    the id of the message, or of the first of several
Raises     SY001 unknown_queue
           SY004 body_too_large
           SY022 needs_python
           22023 invalid_parameter_value
Writes     as enqueue() does
Access     private$$;
