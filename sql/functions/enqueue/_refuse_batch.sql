create or replace function symphony._refuse_batch(messages jsonb)
returns boolean
language plpgsql
stable
as $$
declare
    v_element jsonb;
    v_number  bigint;
    v_given   record;
    v_what    text;
    v_detail  text;
    v_hint    text;
begin
    if jsonb_typeof(messages) is distinct from 'array' then
        raise exception 'messages must be a JSON array'
            using errcode = 'SY005',
                  detail  = format('It is %s.', coalesce(jsonb_typeof(messages), 'null')),
                  hint    = 'Write ''[{"message_type": "SendEmail", "body": {"to": "ada"}}]''.';
    end if;
    if symphony._is_limited() then
        perform symphony._check_senders(messages);
    end if;
    for v_element, v_number in
        select element, number from jsonb_array_elements(messages) with ordinality as e (element, number)
    loop
        begin
            if jsonb_typeof(v_element) <> 'object' then
                raise exception 'it is not an object'
                    using hint = 'An element looks like {"message_type": "SendEmail", "body": {}}.';
            end if;
            select * into v_given from symphony._elements(jsonb_build_array(v_element));
            if v_given.others - '{expires_in,expires_at,on_expiry,on_duplicate,idempotency_window}'::text[]
               <> '{}'
            then
                raise exception 'it has an unknown key'
                    using detail = (select format('Its keys: %s.', string_agg(key, ', '))
                                    from jsonb_object_keys(v_element) as key),
                          hint   = 'The keys are the arguments of symphony.enqueue().';
            end if;
            perform symphony._check_options(
                jsonb_populate_record(null::symphony.message_options, v_given.others),
                coalesce(v_given.available_at, symphony._now() + v_given.delay), v_given.idempotency_key)
            where v_given.others <> '{}';
            perform symphony._check_routed(
                v_given.message_type, v_given.body, v_given.queue_name, v_given.priority,
                v_given.delay, v_given.available_at, v_given.idempotency_key, v_given.headers,
                v_given.retry);
            perform symphony._refuse_direct(v_given.message_type)
            where v_given.others = '{}'
              and num_nonnulls(v_given.queue_name, v_given.delay, v_given.available_at,
                               v_given.idempotency_key, v_given.retry) = 0;
        exception when others then
            get stacked diagnostics v_what = message_text, v_detail = pg_exception_detail,
                                    v_hint = pg_exception_hint;
            raise exception 'element % of the batch is not a message: %', v_number, v_what
                using errcode = 'SY005',
                      detail  = concat_ws(' ', format('Element %s: %s.', v_number, v_what),
                                          nullif(v_detail, '')),
                      hint    = concat_ws(' ', coalesce(nullif(v_hint, ''), 'Correct this element.'),
                                          case when v_detail <> 'Nothing was enqueued.'
                                               then 'Nothing was enqueued.' end);
        end;
    end loop;
    return true;
end;
$$;

comment on function symphony._refuse_batch is
$$Say which element of a batch is not a message, and why.

Arguments  messages - as for enqueue_batch()
Returns    true, only if nothing is wrong
Raises     SY005 malformed_batch
           42501 insufficient_privilege - before anything else is said
Access     private$$;
