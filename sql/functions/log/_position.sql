create or replace function symphony._position(lane_id integer)
returns table (claim_id bigint, ahead int8multirange, partial_txid bigint, partial_message_id bigint)
language sql
stable
as $$
    /* Every lane has a claim, so this is its own.  If lane_id were compared by equality, the
       planner might walk back through the claims of all lanes instead. */
    select claim.claim_id, claim.ahead, claim.partial_txid, claim.partial_message_id
    from symphony.claim
    where claim.lane_id operator(pg_catalog.<=) _position.lane_id
    order by claim.lane_id desc, claim.claim_id desc
    limit 1
$$;

comment on function symphony._position is
$$How far a lane has been handed out: its newest claim.

Arguments  lane_id
Returns    one row, the claim and what is ahead of it. Whoever means to move it holds the lane's
           lock
Access     private$$;
