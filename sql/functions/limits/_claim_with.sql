create or replace function symphony._claim_with(
    lane_id    integer,
    txid       bigint,
    message_id bigint,
    group_key  text
)
returns bigint
language plpgsql
stable
as $$
/*
 * The claim that passed a message handed it out, unless the queue had limits and it parked it, or gave it
 * back to be handed out by a later one.  Which that was is known as long as it is open.  Afterwards it is
 * not, for a claim does not keep the ids that it has settled.
 */
declare
    v_claim_id bigint := (
        select claim.claim_id
        from symphony.claim
        where claim.claim_id = any (symphony._claims_at_gate(_claim_with.lane_id))
          and _claim_with.message_id = any (claim.open_ids)
        limit 1);
begin
    return coalesce(v_claim_id, (
        select claim.claim_id
        from symphony.claim
        where claim.claim_id = symphony._claim_of(_claim_with.lane_id, txid, message_id)
          and (claim.keys is null
               or claim.returned = 0 and (_claim_with.group_key is null
                                          or _claim_with.group_key = any (claim.keys)))));
end;
$$;

comment on function symphony._claim_with is
$$The claim that has a message, or finished it.

Arguments  lane_id - of a message behind the position of its lane that does not wait for its key
           txid, message_id, group_key - of the message
Returns    the claim; null: it is not known
Access     private$$;
