create or replace function symphony._first_kept(
    lane_id            integer,
    claim_id           bigint,
    ahead              int8multirange,
    partial_txid       bigint,
    partial_message_id bigint,
    before_txid        bigint,
    from_txid          bigint,
    from_message_id    bigint,
    at_most            integer,
    out txid       bigint,
    out message_id bigint
)
language plpgsql
stable
as $$
begin
    select first.txid, first.message_id into txid, message_id
    from (
        select * from symphony._first_ahead(_first_kept.lane_id, ahead, partial_txid, partial_message_id,
                                            before_txid)
        union all
        select * from symphony._first_parked(_first_kept.lane_id, from_txid, from_message_id, at_most)
        union all
        select * from symphony._first_in_hands(_first_kept.lane_id, _first_kept.claim_id)
    ) as first (txid, message_id)
    where first.txid < before_txid
    order by first.txid, first.message_id
    limit 1;
end;
$$;

comment on function symphony._first_kept is
$$The first message of a lane that a purge must leave: one that is still ahead, waits for its key, or
has waited for it and is in hands.

Arguments  lane_id
           claim_id - the last claim that is over
           ahead, partial_txid, partial_message_id, before_txid - as for _first_ahead()
           from_txid, from_message_id - where the purge begins
           at_most - so many messages from there on are looked at
Returns    txid - of the message; null: there is no such one
           message_id
Access     private$$;
