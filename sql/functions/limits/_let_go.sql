create or replace function symphony._let_go(claim_id bigint, done_ids bigint[])
returns void
language plpgsql
volatile
as $$
/*
 * A worker may sleep since all keys were busy, or as many messages in hands as may be.  It is called if
 * there is something for it.  Mostly nobody sleeps, and then nobody looks.
 */
declare
    v_claim record;
begin
    select claim.lane_id, claim.holds,
           (queue.ordered or num_nonnulls(queue.key_concurrency, queue.concurrency) > 0)
           and (symphony._sleeping_workers(queue.queue_name) > 0
                or current_setting('transaction_isolation') not like 'read%') as is_awaited
    into v_claim
    from symphony.claim
    join symphony.lane on lane.lane_id = claim.lane_id
    join symphony.queue on queue.queue_name = lane.queue_name
    where claim.claim_id = _let_go.claim_id;
    if v_claim.holds then
        delete from symphony.held_key where held_key.message_id = any (done_ids);
    end if;
    if v_claim.is_awaited
       and (symphony._has_parked(v_claim.lane_id)
            or exists (select from symphony._pending(v_claim.lane_id, 1)))
    then
        perform symphony._wake_workers(array[v_claim.lane_id]);
    end if;
end;
$$;

comment on function symphony._let_go is
$$Let others go on after messages of a queue with limits were settled.

Arguments  claim_id - that they were open in
           done_ids - those that are done, which hold their keys no longer; null: none is
Writes     symphony.held_key; NOTIFY if a worker sleeps and something waits
Access     private$$;
