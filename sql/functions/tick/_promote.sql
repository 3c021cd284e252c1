create or replace function symphony._promote(message_ids bigint[])
returns void
language plpgsql
volatile
as $$
declare
    v_lanes integer[];
begin
    with gone as (
        delete from symphony.delayed_message
        where delayed_message.message_id = any (message_ids)
        returning delayed_message.*
    ), promoted as (
        insert into symphony.message (
            message_id, enqueued_at, lane_id, attempt, message_type, body, headers, group_key,
            available_at, last_error, retry, expires_at, on_expiry)
        select message_id, enqueued_at, lane_id, attempt, message_type, body, headers, group_key,
               available_at, last_error, retry, expires_at, on_expiry
        from gone
        returning message.lane_id
    )
    select array_agg(distinct promoted.lane_id) into v_lanes
    from promoted;
    perform symphony._wake_workers(v_lanes);
end;
$$;

comment on function symphony._promote is
$$Move delayed messages into the log: they are pending.

Arguments  message_ids - delayed, and locked
Writes     symphony.delayed_message, symphony.message; NOTIFY if a worker sleeps
Access     private$$;
