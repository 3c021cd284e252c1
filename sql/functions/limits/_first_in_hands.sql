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
    from unnest(symphony._claims_at_gate(lane_id)) as at_gate (claim_id)
    cross join lateral (    -- each by its id, however many the lane has
        select * from symphony.claim where claim.claim_id = at_gate.claim_id limit 1
    ) as claim
    cross join lateral unnest(claim.open_ids) as open (message_id)
    join symphony.message on message.message_id = open.message_id
    where claim.lane_id = _first_in_hands.lane_id
      and claim.claim_id > _first_in_hands.claim_id
      and (claim.first_place > _first_in_hands.claim_id) is not true
    order by message.txid, message.message_id
    limit 1;
end;
$$;

comment on function symphony._first_in_hands is
$$The first message of a lane that is in hands though a claim, or one before it, had passed it: it
waited for its key then.

Arguments  lane_id
           claim_id - the claim
Returns    txid - of the message; null: there is no such one
           message_id
Access     private$$;
