create or replace function symphony.enqueue(
    message_type    text,
    body            jsonb default '{}',
    queue_name      text default null,
    priority        integer default null,
    delay           interval default null,
    available_at    timestamptz default null,
    idempotency_key text default null,
    group_key       text default null,
    headers         jsonb default '{}',
    retry           jsonb default null,
    expires_in      interval default null,
    expires_at      timestamptz default null,
    on_expiry       text default null,
    on_duplicate    text default null,
    idempotency_window interval default null
)
returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
/*
 * This is the way of a message like most: due at once, without a key, into a lane that is in use.
 * All others, and those that may not be enqueued, go by _enqueue_other().
 *
 * The lane is looked up by the statement that inserts: should drop_queue() hold that one up,
 * it sees afterwards that the queue is gone.  The lane also tells that there are no routes.  Whether
 * the role may use the queue is asked without a lane: no clock tells it whether there is one.
 * PL/pgSQL sets up every expression anew in each transaction, so there are few of them.
 */
declare
    v_now        timestamptz := symphony._now();
    v_queue_name text := coalesce(enqueue.queue_name, 'default');
    v_message_id bigint := nextval('symphony.message_id_seq');
    v_lane_id    integer;
begin
    if num_nonnulls(delay, available_at, idempotency_key, retry, expires_in, expires_at, on_expiry,
                    on_duplicate, idempotency_window) = 0
       and current_setting('transaction_isolation') like 'read%'
    then
        insert into symphony.message (message_id, enqueued_at, lane_id,
                                      message_type, body, headers, group_key)
        select v_message_id, v_now, lane.lane_id, enqueue.message_type, enqueue.body,
               enqueue.headers, enqueue.group_key
        from symphony.lane
        where lane.queue_name = v_queue_name
          and lane.priority = coalesce(enqueue.priority, 5)
          and not lane.alone
          and lane.is_used
          and (enqueue.queue_name is not null or lane.is_unrouted)
          and (not symphony._is_limited()
               or symphony._is_listed('{enqueuer,producer}', v_queue_name))
          and symphony._is_message(message_type, body, headers, lane.max_body_bytes, null, null, null)
        returning message.lane_id into v_lane_id;
        if found then
            perform symphony._notify(v_queue_name, symphony._called_workers(v_lane_id, newest.workers, 1))
            from (select idle_worker.workers
                  from symphony.idle_worker
                  where idle_worker.queue_name = v_queue_name
                  order by idle_worker.idle_id desc
                  limit 1) as newest
            where newest.workers <> '{}';
            return v_message_id;
        end if;
    end if;
    if symphony._is_limited() then
        perform symphony._check_sender(message_type, enqueue.queue_name);
    end if;
    return symphony._enqueue_other(message_type, body, enqueue.queue_name, priority, delay, available_at,
                                   idempotency_key, group_key, headers, retry, v_message_id,
                                   row(expires_in, expires_at, on_expiry, on_duplicate, idempotency_window));
end;
$$;

comment on function symphony.enqueue is
$$Put a message into a queue, as part of the caller's transaction.

Arguments  message_type - selects the handler
           body - any JSON but null
           queue_name - the queue; null: where the routes of the type lead, or else "default"
           priority - 0 to 9, 9 goes first; null: the route's, or else 5
           delay - how long from now it waits; give this, or available_at, or neither
           available_at - when it may start; give this, or delay, or neither
           idempotency_key - a second message with this key is not enqueued, as long as the queue's
               idempotency_window has not passed and the first is not cancelled, purged, or failed
               and removed
           group_key - what the message belongs to: in a queue that limits keys, see
               configure_queue(), it waits for others with the same one
           headers - a JSON object for metadata
           retry - how it is retried, before what its type and queue say: {"max_attempts", "delay",
               "multiplier", "max_delay", "jitter"}
           expires_in - how long after it is due it may start; give this, or expires_at, or neither
           expires_at - when it is too late to start, also to start again after an error
           on_expiry - what becomes of it then: fail, as is the default, with the reason expired; or
               drop: it is removed
           on_duplicate - what a message does whose key is in use: keep, as is the default; or
               replace: the first one, if it waits for its time or a retry, gets the type, body,
               headers, retry, time and expiry of this one. If it does not, this one is enqueued and
               has the key from then on
           idempotency_window - how long the key is in use; null: as long as the queue says
Returns    the id of the message. With an idempotency key in use it is that of the first message. If
           the type has several routes or handlers, each gets a message, and this is the id of the
           first
Raises     SY001 unknown_queue
           SY004 body_too_large
           SY022 needs_python
           22023 invalid_parameter_value
           42501 insufficient_privilege - the role may use other queues only
           40001 serialization_failure - the queue was dropped and created again meanwhile
Writes     symphony.message, or symphony.delayed_message; NOTIFY if a worker of the queue sleeps
Access     enqueuer, producer$$;
