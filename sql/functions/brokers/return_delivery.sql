create or replace function symphony.return_delivery(
    transport_name text,
    message_key    text,
    message_type   text,
    body           jsonb,
    headers        jsonb,
    attempt        integer,
    error          text,
    message_id     bigint default null,
    error_class    text default null,
    retryable      boolean default null,
    retry_after    interval default null,
    traceback      text default null,
    error_bases    text[] default null,
    snoozed        boolean default null,
    group_key      text default null,
    priority       integer default null,
    enqueued_at    timestamptz default null,
    worker         text default null,
    out outcome    text,
    out available_at timestamptz,
    out last_error text
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_transport symphony.transport := symphony._inbox_of(transport_name);
    v_now       timestamptz := symphony._now();
    v_delivery  symphony.message;
    v_home      record;
    v_fate      record;
begin
    if message_key is null or message_type is null or body is null or attempt is null
       or attempt not between 1 and 32000 or priority not between 0 and 9
       or retry_after not between '0' and '100 years' or snoozed and retry_after is null
       or jsonb_typeof(headers) <> 'object'
    then
        raise exception 'this is not a delivery'
            using errcode = '22023',
                  detail  = 'The key, the type, the body and the attempt (1 to 32000) must be given; a '
                            'snoozed one has retry_after, 0 to 100 years; headers are an object.',
                  hint    = 'Keep the message at the broker, and mend the call.';
    end if;
    last_error := symphony._sanitized(coalesce(error, '(no error text)'));
    error_class := left(error_class, 200);
    outcome := 'known';
    if message_id is not null then
        v_home := symphony._take_home(message_id, attempt, v_transport);
        if v_home.is_known then
            return;
        end if;
        v_delivery := v_home.kept;
        message_id := v_home.message_id;
    end if;
    if message_id is null
       and not symphony.first_receipt(transport_name, left('returned ' || message_key, 1024)) then
        return;
    end if;
    if v_delivery.message_id is null then
        select coalesce(return_delivery.message_id, nextval('symphony.message_id_seq')),
               coalesce(return_delivery.enqueued_at, v_now), lane.lane_id
        into v_delivery.message_id, v_delivery.enqueued_at, v_delivery.lane_id
        from symphony.lane
        where lane.queue_name = v_transport.queue_name and not lane.alone
          and lane.priority = coalesce(return_delivery.priority, v_transport.priority, 5);
        v_delivery.message_type := message_type;
        v_delivery.body := body;
        v_delivery.headers := coalesce(headers, '{}');
        v_delivery.group_key := group_key;
        perform symphony._use_lane(v_transport.queue_name, coalesce(return_delivery.priority,
                                                                     v_transport.priority, 5));
    end if;
    v_delivery.attempt := attempt - 1;
    v_fate := symphony._fate(v_transport, v_delivery, error_class || error_bases, retryable, retry_after,
                             coalesce(snoozed, false));
    outcome := v_fate.outcome;
    available_at := case when outcome <> 'failed' then least(v_now + v_fate.wait, v_delivery.expires_at) end;
    perform symphony._store_home(v_delivery, outcome, v_fate.reason, available_at, last_error,
                                 case when outcome <> 'snoozed' then error_class end, worker, traceback);
end;
$$;

comment on function symphony.return_delivery is
$$Take back what a broker had handed out and could not be done: it comes back later by the same way,
or has failed for good. The retry policies decide which, as in nack_with_backoff(). Commit this, and
then let the broker forget it.

Arguments  transport_name - the transport it came by
           message_key - what the broker knows it by
           message_type, body, headers - as they were delivered. They count when the log has them no
               longer
           attempt - which delivery this was; the first one is 1
           error - what happened, for people. It is kept without secrets
           message_id - of a message of Symphony; null, or an id of another queue or that no message
               ever had: somebody else has sent it, and it gets one
           error_class - a name to group by, and to find among the classes of the retry policies
           retryable - true: a retry may help; false: it cannot; null: the retry policies say
           retry_after - how long to wait; null: as long as the retry policy says
           traceback - where it happened
           error_bases - the classes that error_class derives from, nearest first
           snoozed - true: its time has not come, and no attempt is used
           group_key, priority, enqueued_at - as they were delivered
           worker - who had it
Returns    one row
           outcome - retry, snoozed or failed; known: it is home already, and nothing was changed
           available_at - when it goes out again, or expires
           last_error - the text that was kept, without secrets: log this
Raises     SY020 unknown_transport
           22023 invalid_parameter_value
           55000 object_not_in_prerequisite_state - the transport leads to no broker
           42501 insufficient_privilege - the caller may use some queues, and not its outbox
Writes     symphony.delayed_message or symphony.failed_message, symphony.message, symphony.attempt,
           symphony.inbox for a message of somebody else; symphony.claim if the relay has it still
Access     consumer$$;
