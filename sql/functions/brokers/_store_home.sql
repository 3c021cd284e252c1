create or replace function symphony._store_home(
    delivery     symphony.message,
    outcome      text,
    reason       text,
    available_at timestamptz,
    error        text,
    error_class  text,
    worker       text,
    traceback    text
)
returns void
language plpgsql
volatile
as $$
/*
 * What is due already is pending at once, as in _put_off().
 */
declare
    v_now timestamptz := symphony._now();
begin
    if outcome <> 'snoozed' then
        insert into symphony.attempt (
            message_id, started_at, ended_at, replay, attempt, outcome, worker, error_class, error,
            traceback)
        values (delivery.message_id, v_now, v_now,
                (select count(*) from symphony.replay where replay.message_id = delivery.message_id),
                delivery.attempt + 1, _store_home.outcome, _store_home.worker, _store_home.error_class,
                _store_home.error, symphony._sanitized(_store_home.traceback));
        delivery.attempt := delivery.attempt + 1;
    end if;
    if outcome = 'failed' then
        insert into symphony.failed_message (
            message_id, failed_at, enqueued_at, lane_id, attempt, reason, message_type, body, headers,
            group_key, last_error, error_class, worker, retry, expires_at)
        values (delivery.message_id, v_now, delivery.enqueued_at, delivery.lane_id, delivery.attempt,
                _store_home.reason, delivery.message_type, delivery.body, delivery.headers,
                delivery.group_key, _store_home.error, _store_home.error_class, _store_home.worker,
                delivery.retry, delivery.expires_at);
    elsif available_at > v_now then
        insert into symphony.delayed_message (
            message_id, available_at, wait, enqueued_at, lane_id, attempt, message_type, body, headers,
            group_key, last_error, error_class, retry, expires_at, on_expiry)
        values (delivery.message_id, _store_home.available_at, _store_home.available_at - v_now,
                delivery.enqueued_at, delivery.lane_id, delivery.attempt, delivery.message_type,
                delivery.body, delivery.headers, delivery.group_key, _store_home.error,
                _store_home.error_class, delivery.retry, delivery.expires_at, delivery.on_expiry);
    else
        insert into symphony.message (
            message_id, enqueued_at, lane_id, attempt, message_type, body, headers, group_key,
            available_at, last_error, retry, expires_at, on_expiry)
        values (delivery.message_id, delivery.enqueued_at, delivery.lane_id, delivery.attempt,
                delivery.message_type, delivery.body, delivery.headers, delivery.group_key, v_now,
                _store_home.error, delivery.retry, delivery.expires_at, delivery.on_expiry);
        perform symphony._wake_workers(array[delivery.lane_id]);
    end if;
end;
$$;

comment on function symphony._store_home is
$$Put a message that came home where it belongs.

Arguments  delivery - the message; attempt - the deliveries before this one
           outcome - retry, snoozed or failed
           reason - of a failed one
           available_at - when it comes back
           error - without secrets
           error_class - as the worker named it
           worker - who had it
           traceback - of the error
Writes     symphony.delayed_message, symphony.message or symphony.failed_message, symphony.attempt
Access     private$$;
