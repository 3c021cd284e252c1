create or replace function symphony._refuse_message(
    message_type    text,
    body            jsonb,
    queue_name      text,
    priority        integer,
    delay           interval,
    available_at    timestamptz,
    idempotency_key text,
    headers         jsonb
)
returns void
language plpgsql
stable
as $$
declare
    v_queue record;
    v_bytes integer := pg_column_size(body #> '{}');
    v_what  text;
    v_hint  text;
begin
    select queue.* into v_queue
    from symphony.queue
    where queue.queue_name = coalesce(_refuse_message.queue_name, 'default');
    if not found then
        perform symphony._refuse_queue(coalesce(_refuse_message.queue_name, 'default'));
    end if;
    if v_bytes > v_queue.max_body_bytes then
        raise exception 'the body is too large for queue "%"', v_queue.queue_name
            using errcode = 'SY004',
                  detail  = format('It has %s bytes of jsonb, uncompressed; the queue takes %s.',
                                   v_bytes, v_queue.max_body_bytes),
                  hint    = 'Store the data elsewhere and enqueue a reference to it, or raise '
                            'max_body_bytes with symphony.configure_queue().';
    end if;

    if coalesce(message_type, '') = '' or length(message_type) > 200 then
        v_what := 'message_type must be a name of 1 to 200 characters';
        v_hint := 'It selects the handler, as in enqueue(''SendEmail'', ''{"to": "ada"}'').';
    elsif coalesce(jsonb_typeof(body), 'null') = 'null' then
        v_what := 'body must not be null';
        v_hint := 'A message that needs no data has the body ''{}''.';
    elsif coalesce(jsonb_typeof(headers), 'null') <> 'object' then
        v_what := 'headers must be a JSON object';
        v_hint := 'Leave them out, or write headers => ''{"tenant": "acme"}''.';
    elsif priority not between 0 and 9 then
        v_what := format('priority must be between 0 and 9, not %s', priority);
        v_hint := '9 goes first and 0 last; without one a message has 5.';
    elsif priority <> 5 and v_queue.ordered then
        v_what := format('queue "%s" is ordered and has the priority 5, not %s', v_queue.queue_name,
                         priority);
        v_hint := 'Leave the priority out, also in transports that lead there: two lanes keep no order.';
    elsif delay is not null and available_at is not null then
        v_what := 'delay and available_at exclude each other';
        v_hint := 'Give a delay counted from now, or the moment itself.';
    elsif delay < '0' or delay > '100 years' then
        v_what := format('delay must be between 0 and 100 years, not %s', delay);
        v_hint := 'Leave it out to start the message at once.';
    elsif not isfinite(available_at) or available_at < transaction_timestamp() - interval '1 minute' then
        v_what := format('available_at must be a moment to come, not %s', available_at);
        v_hint := 'Leave it out to start the message at once. If the clocks differ, give a delay.';
    elsif idempotency_key = '' or octet_length(idempotency_key) > 512 then
        v_what := 'idempotency_key must have 1 to 512 bytes';
        v_hint := 'Use what makes the message unique, such as an order number, or a hash of it.';
    else
        return;
    end if;
    raise exception '%', v_what
        using errcode = '22023', detail = 'Nothing was enqueued.', hint = v_hint;
end;
$$;

comment on function symphony._refuse_message is
$$Say what is wrong with a message that may not be enqueued.

Arguments  as for enqueue()
Returns    only if nothing is wrong
Raises     SY001 unknown_queue
           SY004 body_too_large
           22023 invalid_parameter_value
Access     private$$;
