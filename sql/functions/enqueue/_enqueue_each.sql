create or replace function symphony._enqueue_each(messages jsonb)
returns setof bigint
language plpgsql
volatile
set plan_cache_mode = force_generic_plan
as $$
/*
 * All batches take their keys in one order, so two of them cannot wait for each other.  The
 * messages follow in the order of the array, with the ids that took the keys.
 */
declare
    v_now timestamptz := symphony._now();
    v_ids bigint[] := array(select nextval('symphony.message_id_seq')
                            from generate_series(1, jsonb_array_length(messages)));
begin
    perform case when sorted.deliveries = 1
            then symphony._key_holder(sorted.queue_name, sorted.idempotency_key, v_ids[sorted.element],
                                      v_now, sorted.options)
            else symphony._first_with_key(sorted.queue_name, sorted.idempotency_key, v_ids[sorted.element],
                                          v_now, sorted.deliveries, (sorted.options).idempotency_window)
            end
    from (
        select given.element, given.idempotency_key, place.queue_name, place.deliveries,
               jsonb_populate_record(null::symphony.message_options, given.others) as options
        from symphony._elements(messages) as given
        cross join lateral symphony._place_of_key(given.message_type, given.queue_name) as place
        where given.idempotency_key is not null
        order by place.queue_name, given.idempotency_key, given.element
        offset 0    -- else the keys are taken before they are sorted
    ) as sorted;
    return query
    select symphony._enqueue_other(message_type, body, queue_name, priority, delay, available_at,
                                   idempotency_key, group_key, headers, retry, v_ids[element],
                                   jsonb_populate_record(null::symphony.message_options, others))
    from symphony._elements(messages)
    where others - '{expires_in,expires_at,on_expiry,on_duplicate,idempotency_window}'::text[] = '{}'
       or symphony._refuse_batch(messages);
end;
$$;

comment on function symphony._enqueue_each is
$$Enqueue the messages of a batch one by one: some have a key, expire, or go to several places.

Arguments  messages - as for enqueue_batch()
Returns    as enqueue_batch() does
Raises     what enqueue() raises
Writes     as enqueue() does
Access     private$$;
