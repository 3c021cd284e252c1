create or replace function symphony._fail_late(message_ids bigint[], now timestamptz)
returns bigint[]
language plpgsql
volatile
as $$
/*
 * No attempt was made, so none is counted.
 */
declare
    v_dropped bigint[];
begin
    with gone as (
        delete from symphony.message
        where message.message_id = any (_fail_late.message_ids)
        returning message.*
    ), late as materialized (
        select gone.*, concat_ws(': ', format('expired: it was not started by %s', gone.expires_at),
                                 gone.last_error) as error
        from gone
        where gone.on_expiry is null
    ), failed as (
        insert into symphony.failed_message (
            message_id, failed_at, enqueued_at, lane_id, attempt, reason, message_type, body, headers,
            group_key, last_error, error_class, retry, expires_at)
        select late.message_id, _fail_late.now, late.enqueued_at, late.lane_id, late.attempt, 'expired',
               late.message_type, late.body, late.headers, late.group_key, late.error, 'MessageExpired',
               late.retry, late.expires_at
        from late
    ), noted as (
        insert into symphony.attempt (
            message_id, started_at, ended_at, replay, attempt, outcome, error_class, error)
        select late.message_id, _fail_late.now, _fail_late.now,
               (select count(*) from symphony.replay where replay.message_id = late.message_id),
               late.attempt, 'expired', 'MessageExpired', late.error
        from late
    )
    select coalesce(array_agg(gone.message_id), '{}') into v_dropped
    from gone
    where gone.on_expiry = 'drop';
    if v_dropped <> '{}' then
        delete from symphony.held_key where held_key.message_id = any (v_dropped);
        perform symphony._forget(v_dropped);
        perform symphony._free_keys(v_dropped);
    end if;
    return v_dropped;
end;
$$;

comment on function symphony._fail_late is
$$Move messages that have expired to the failed ones, or remove those that are to be dropped.

Arguments  message_ids - in the log
           now
Returns    those that were removed
Writes     symphony.message, symphony.failed_message, symphony.attempt, symphony.held_key, and what
           _forget() and _free_keys() write
Access     private$$;
