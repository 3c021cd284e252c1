create or replace function symphony._record_attempt(
    message_ids bigint[],
    outcome     text,
    error       text,
    error_class text,
    traceback   text,
    claim_id    bigint
)
returns void
language plpgsql
volatile
as $$
begin
    insert into symphony.attempt (
        message_id, started_at, ended_at, replay, attempt, outcome, worker, error_class, error,
        traceback)
    select message.message_id, claim.claimed_at, least(symphony._now(), claim.lease_until),
           (select count(*) from symphony.replay where replay.message_id = message.message_id),
           message.attempt + 1, _record_attempt.outcome, claim.worker, _record_attempt.error_class,
           _record_attempt.error, symphony._sanitized(_record_attempt.traceback)
    from symphony.message
    join symphony.claim on claim.claim_id = _record_attempt.claim_id
    where message.message_id = any (_record_attempt.message_ids);
end;
$$;

comment on function symphony._record_attempt is
$$Note that an attempt did not succeed, before the message is moved.

Arguments  message_ids - those of them that are in the log
           outcome - retry or failed
           error - without secrets
           error_class - as the worker named it
           traceback - without secrets
           claim_id - the claim they are open in
Writes     symphony.attempt
Access     private$$;
