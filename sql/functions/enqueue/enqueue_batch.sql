create or replace function symphony.enqueue_batch(messages jsonb)
returns setof bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
/*
 * The array is passed over once.  An element that breaks a rule gets no lane, the log refuses a
 * row without a lane, and only then the elements are looked at one by one to say which it was.
 * If no element breaks a rule, one of them expires, or the routes were changed just now.
 *
 * The planner takes an array for ten rows, so it hashes the lanes: the messages keep their order,
 * and rows that come to the end of an index in order are cheap.
 */
declare
    v_now       timestamptz := symphony._now();
    v_is_routed boolean := symphony._is_routed();
    v_queues    text[] := array_prepend('default', array(select distinct jsonb_array_elements_text(
        jsonb_path_query_array(messages, '$[*].queue_name'))));
    v_ids       bigint[];
    v_lanes     integer[];
    v_at_once   integer;
begin
    if jsonb_typeof(messages) is distinct from 'array' then
        perform symphony._refuse_batch(messages);
    end if;
    if symphony._is_limited() then
        perform symphony._check_senders(messages);
    end if;
    if jsonb_path_exists(messages, '$[*].idempotency_key') or messages -> 0 ?| '{expires_in,expires_at}'
       or v_is_routed and exists (select from symphony._targets(messages) where is_direct or not is_simple)
    then
        return query select * from symphony._enqueue_each(messages);
        return;
    end if;
    if v_is_routed then
        v_queues := v_queues || array(select target.queue_name from symphony._targets(messages) as target);
    end if;
    perform symphony._hold_queues(v_queues);
    v_ids := array(select nextval('symphony.message_id_seq')
                   from generate_series(1, jsonb_array_length(messages)));
    with place as materialized (
        select lane.lane_id, lane.queue_name, lane.priority, lane.max_body_bytes
        from unnest(array(select lane from symphony.lane
                          where lane.queue_name = any (v_queues) and not lane.alone)) as lane
    ), placed as materialized (
        select v_ids[given.element] as message_id, given.message_type, given.body, given.headers,
               given.group_key, given.retry, given.delay,
               coalesce(given.available_at, v_now + given.delay, v_now) as due,
               case when given.others = '{}' and symphony._is_message(
                        given.message_type, given.body, given.headers, place.max_body_bytes,
                        given.delay, given.available_at, given.idempotency_key)
                         and (given.retry is null or symphony._check_retry(given.retry))
                    then place.lane_id
               end as lane_id
        from symphony._elements(messages) as given
        left join (select * from symphony._targets(messages) where v_is_routed) as target
            on target.message_type = given.message_type and given.queue_name is null
        left join place on place.queue_name = coalesce(given.queue_name, target.queue_name, 'default')
            and place.priority = coalesce(given.priority, target.priority, 5)
            and (given.queue_name is not null or not v_is_routed or target.is_simple)
    ), at_once as (
        insert into symphony.message (message_id, enqueued_at, lane_id,
                                      message_type, body, headers, group_key, retry)
        select message_id, v_now, lane_id, message_type, body, headers, group_key, retry
        from placed where due <= v_now
    ), later as (
        insert into symphony.delayed_message (message_id, available_at, wait, enqueued_at, lane_id,
                                              message_type, body, headers, group_key, retry)
        select message_id, due, delay, v_now, lane_id, message_type, body, headers, group_key, retry
        from placed where due > v_now
    )
    select array_agg(distinct lane_id), case when bool_and(due <= v_now) then count(*) end
    into v_lanes, v_at_once
    from placed;
    perform symphony._use_lanes(v_lanes);
    perform symphony._wake_workers(v_lanes, v_at_once);
    return query select unnest(v_ids);
exception
    when not_null_violation then
        perform symphony._refuse_batch(messages);
        return query select * from symphony._enqueue_each(messages);
    when others then
        perform symphony._refuse_batch(messages);
        raise;
end;
$$;

comment on function symphony.enqueue_batch is
$$Put many messages into queues at once, as part of the caller's transaction: all of them or none.

Arguments  messages - a JSON array of objects whose keys are the arguments of enqueue(). A time
               without a zone is one of UTC
Returns    the ids of the messages, in the order of the array
Raises     SY005 malformed_batch - the detail says which element, counted from 1, and why
           42501 insufficient_privilege - the role may use other queues only
           40001 serialization_failure - a queue was dropped or changed since the snapshot
Writes     as enqueue() does
Locks      the idempotency keys that it takes, in the order of queue and key
Access     enqueuer, producer$$;
