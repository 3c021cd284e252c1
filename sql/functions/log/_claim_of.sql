create or replace function symphony._claim_of(lane_id integer, txid bigint, message_id bigint)
returns bigint
language plpgsql
stable
as $$
/*
 * What is behind a position stays behind all later ones, so the claim that handed out a
 * message is found by halving.  Claims do not have to keep the ids they have settled.
 */
declare
    v_low   bigint;
    v_high  bigint;
    v_claim record;
begin
    select min(claim_id), max(claim_id) into v_low, v_high
    from symphony.claim
    where claim.lane_id = _claim_of.lane_id;
    while v_low < v_high loop
        select * into v_claim
        from symphony.claim
        where claim.lane_id = _claim_of.lane_id and claim.claim_id <= (v_low + v_high) / 2
        order by claim.claim_id desc
        limit 1;
        if symphony._is_ahead(_claim_of.txid, _claim_of.message_id, v_claim.ahead,
                              v_claim.partial_txid, v_claim.partial_message_id)
        then
            select min(claim_id) into v_low
            from symphony.claim
            where claim.lane_id = _claim_of.lane_id and claim.claim_id > v_claim.claim_id;
        else
            v_high := v_claim.claim_id;
        end if;
    end loop;
    return v_high;
end;
$$;

comment on function symphony._claim_of is
$$The claim that handed out a message.

Arguments  lane_id - of a message behind the position of its lane
           txid - of the message
           message_id - of the message
Returns    the first claim that is not behind it
Access     private$$;
