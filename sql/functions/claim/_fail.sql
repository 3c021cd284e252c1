create or replace function symphony._fail(
    message_ids bigint[],
    reason      text,
    error       text,
    error_class text,
    claim_id    bigint,
    traceback   text default null
)
returns integer
language plpgsql
volatile
as $$
declare
    v_failed integer;
begin
    perform symphony._record_attempt(message_ids, 'failed', error, error_class, traceback, claim_id);
    with gone as (
        delete from symphony.message
        where message.message_id = any (_fail.message_ids)
        returning message.*
    )
    insert into symphony.failed_message (
        message_id, failed_at, enqueued_at, lane_id, attempt, reason, message_type, body, headers,
        group_key, last_error, error_class, worker, retry, expires_at)
    select gone.message_id, symphony._now(), gone.enqueued_at, gone.lane_id, gone.attempt + 1,
           _fail.reason, gone.message_type, gone.body, gone.headers, gone.group_key,
           _fail.error, _fail.error_class, claim.worker, gone.retry, gone.expires_at
    from gone
    join symphony.claim on claim.claim_id = _fail.claim_id;
    get diagnostics v_failed = row_count;
    return v_failed;
end;
$$;

comment on function symphony._fail is
$$Move messages of a claim to the failed ones.

Arguments  message_ids - those to move
           reason - why: see failed_message
           error - without secrets
           error_class - as the worker named it
           claim_id - the claim they were open in
           traceback - without secrets
Returns    how many messages that were
Writes     symphony.message, symphony.failed_message, symphony.attempt
Access     private$$;
