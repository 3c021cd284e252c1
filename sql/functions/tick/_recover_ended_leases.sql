create or replace function symphony._recover_ended_leases(
    from_time timestamptz,
    now       timestamptz,
    out claims    integer,
    out recovered integer,
    out failed    integer
)
language plpgsql
volatile
as $$
/*
 * Whoever held these messages is gone, and perhaps one of them was the cause: they go on in
 * the lane for those that are claimed alone.
 */
declare
    v_claim  record;
    v_ids    bigint[];
    v_error  text;
    v_failed integer;
begin
    claims := 0;
    recovered := 0;
    failed := 0;
    for v_claim in
        select claim.claim_id, claim.lane_id, claim.open_ids, claim.worker, claim.lease_until,
               lane.queue_name, lane.priority, lane.is_gated
        from symphony.claim
        join symphony.lane on lane.lane_id = claim.lane_id
        where claim.lease_until > from_time
          and claim.lease_until <= _recover_ended_leases.now
          and claim.open_ids <> '{}'
        order by claim.lease_until
        limit 100
        for no key update of claim skip locked
    loop
        v_ids := case when v_claim.is_gated then symphony._suspects(v_claim.claim_id)
                      else v_claim.open_ids end;
        v_error := format('lease ended: worker %s did not settle it by %s',
                          coalesce(v_claim.worker, '(unnamed)'), v_claim.lease_until);
        v_failed := symphony._fail(
            array(select message.message_id from symphony.message
                  where message.message_id = any (v_ids)
                    and message.attempt + 1 >= (
                        select rule.max_attempts
                        from symphony._retry_rule(
                            message.message_type, v_claim.queue_name, message.retry) as rule)),
            'lease ended', v_error, 'LeaseEnded', v_claim.claim_id);
        if v_claim.is_gated then
            perform symphony._free_failed(v_ids);
        end if;
        perform symphony._record_attempt(
            v_ids, 'retry', v_error, 'LeaseEnded', null, v_claim.claim_id);
        update symphony.message
        set attempt    = message.attempt + 1,
            txid       = pg_current_xact_id()::text::bigint,
            lane_id    = symphony._lane_alone(v_claim.queue_name, v_claim.priority),
            last_error = v_error
        where message.message_id = any (v_ids);
        perform symphony._settle(v_claim.claim_id, v_ids, failed => v_failed,
                                 returned => cardinality(v_ids) - v_failed);
        perform symphony._wake_workers(array[v_claim.lane_id]);
        claims := claims + 1;
        failed := failed + v_failed;
        recovered := recovered + cardinality(v_claim.open_ids) - v_failed;
        exit when recovered + failed >= 10000;
    end loop;
end;
$$;

comment on function symphony._recover_ended_leases is
$$Take back the messages of claims whose lease has ended: they are pending again, or failed when their
attempts are used up.

Arguments  from_time - leases that ended after this
           now - and not after this
Returns    claims - how many, at most 100 at once; it ends with the claim of the 10,000th message
           recovered - their messages that are pending again
           failed - their messages that failed
Writes     symphony.claim, symphony.message, symphony.failed_message, symphony.attempt, and what
           _suspects() writes; NOTIFY if a worker sleeps
Access     private$$;
