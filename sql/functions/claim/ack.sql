create or replace function symphony.ack(
    claim_id    bigint,
    message_ids bigint[] default null
)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
/*
 * Nearly always all messages of a claim are settled at once: one statement does that.  The
 * rest, and every refusal, is for _hold_claim().
 */
declare
    v_size     integer;
    v_is_gated boolean;
begin
    update symphony.claim
    set open_ids    = '{}',
        finished_at = symphony._now()
    where claim.claim_id = ack.claim_id
      and claim.lease_until > symphony._now()
      and claim.open_ids = coalesce(ack.message_ids, claim.open_ids)
      and cardinality(claim.open_ids) = claim.size
      and claim.size > 0
      and claim.holds is not true
      and (not symphony._is_limited() or symphony._is_lane_listed('{consumer}', claim.lane_id))
    returning claim.size, claim.keys is not null into v_size, v_is_gated;
    if v_is_gated then
        perform symphony._let_go(ack.claim_id, null);
    elsif v_is_gated is null then
        v_size := symphony._settle(ack.claim_id,
                                   symphony._hold_claim(ack.claim_id, ack.message_ids));
    end if;
    return v_size;
end;
$$;

comment on function symphony.ack is
$$Settle messages of a live claim: they are done.

Arguments  claim_id - from claim_batch()
           message_ids - those that are done; null: all that are left
Returns    how many messages were settled
Raises     SY010 lease_lost - the lease ended, or a message is already settled
           SY013 message_returned - one before it of its key did not succeed
Writes     symphony.claim (updates one row), symphony.held_key; NOTIFY if the queue has limits and a
           worker sleeps
Access     consumer$$;
