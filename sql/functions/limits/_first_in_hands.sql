create or replace function symphony._first_in_hands(
    lane_id  integer,
    claim_id bigint,
    out txid       bigint,
    out message_id bigint
)
language plpgsql
stable
as $$
/*
 * A message that waited for its key was passed by one claim and is in the hands of another.  A claim whose
 * first_place is behind the one that is asked for has nothing that it has passed.
 */
begin
    select message.txid, message.message_id into txid, message_id
    from symphony.lane
    cross join lateral (
        select gate.open_claims
        from symphony.gate
        where gate.queue_name = lane.queue_name
        order by gate.gate_id desc
        limit 1
    ) as newest
    join symphony.claim on claim.claim_id = any (newest.open_claims)
    cross join lateral unnest(claim.open_ids) as open (message_id)
    join symphony.message on message.message_id = open.message_id
    where lane.lane_id = _first_in_hands.lane_id
      and claim.lane_id = _first_in_hands.lane_id
      and claim.claim_id > _first_in_hands.claim_id
      and (claim.first_place > _first_in_hands.claim_id) is not true
    order by message.txid, message.message_id
    limit 1;
end;
$$;

comment on function symphony._first_in_hands(integer, bigint) is
$$The first message of a lane that is in hands though a claim, or one before it, had passed it: it
waited for its key then.

Arguments  lane_id
           claim_id - the claim
Returns    txid - of the message; null: there is no such one
           message_id
Access     private$$;

revoke execute on function symphony._first_in_hands(integer, bigint) from public;
