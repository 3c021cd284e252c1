create or replace function symphony._put_off(
    message_id  bigint,
    until       timestamptz,
    wait        interval,
    attempt     integer,
    error       text,
    error_class text
)
returns void
language plpgsql
volatile
as $$
/*
 * What is due already is pending at once: a sweep of tick() that has passed its moment would not look
 * there again for a while.
 */
declare
    v_lane_id integer;
begin
    if until <= symphony._now() then
        update symphony.message
        set txid         = pg_current_xact_id()::text::bigint,
            attempt      = _put_off.attempt,
            available_at = _put_off.until,
            last_error   = coalesce(_put_off.error, message.last_error)
        where message.message_id = _put_off.message_id
        returning message.lane_id into v_lane_id;
        perform symphony._wake_workers(array[v_lane_id]);
        return;
    end if;
    with gone as (
        delete from symphony.message
        where message.message_id = _put_off.message_id
        returning message.*
    )
    insert into symphony.delayed_message (
        message_id, available_at, wait, enqueued_at, lane_id, attempt, message_type, body, headers,
        group_key, last_error, error_class, retry, expires_at, on_expiry)
    select gone.message_id, _put_off.until, _put_off.wait, gone.enqueued_at, gone.lane_id,
           _put_off.attempt, gone.message_type, gone.body, gone.headers, gone.group_key,
           coalesce(_put_off.error, gone.last_error), _put_off.error_class, gone.retry,
           gone.expires_at, gone.on_expiry
    from gone;
end;
$$;

comment on function symphony._put_off is
$$Let a message of a claim come back later.

Arguments  message_id
           until - when
           wait - how long that is, if that was asked for; null: until that moment
           attempt - deliveries that ended without success
           error - why; null: its last error stays
           error_class - as the worker named it
Writes     symphony.delayed_message, or symphony.message if the moment has come; NOTIFY then, if a
           worker sleeps
Access     private$$;
