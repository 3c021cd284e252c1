create or replace function symphony._promote_due_messages(from_time timestamptz, now timestamptz)
returns integer
language plpgsql
volatile
as $$
declare
    v_promoted integer;
    v_lanes    integer[];
begin
    with due as materialized (
        select delayed_message.message_id
        from symphony.delayed_message
        where delayed_message.available_at > from_time
          and delayed_message.available_at <= _promote_due_messages.now
        order by delayed_message.available_at
        limit 1000
        for update skip locked
    ), gone as (
        delete from symphony.delayed_message
        where delayed_message.message_id = any (array(select due.message_id from due))
        returning delayed_message.*
    ), promoted as (
        insert into symphony.message (
            message_id, enqueued_at, lane_id, attempt, message_type, body, headers, group_key,
            available_at, last_error, retry)
        select message_id, enqueued_at, lane_id, attempt, message_type, body, headers, group_key,
               available_at, last_error, retry
        from gone
        returning message.lane_id
    )
    select count(*), array_agg(distinct promoted.lane_id) into v_promoted, v_lanes
    from promoted;
    perform symphony._wake_workers(v_lanes);
    return v_promoted;
end;
$$;

comment on function symphony._promote_due_messages(timestamptz, timestamptz) is
$$Move delayed messages whose time has come into the log.

Arguments  from_time - those that became due after this
           now - and not after this
Returns    how many, at most 1000 at once
Writes     symphony.delayed_message, symphony.message; NOTIFY if a worker sleeps
Access     private$$;

revoke execute on function symphony._promote_due_messages(timestamptz, timestamptz) from public;
