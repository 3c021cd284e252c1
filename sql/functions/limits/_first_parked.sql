create or replace function symphony._first_parked(
    lane_id    integer,
    txid       bigint,
    message_id bigint,
    at_most    integer,
    out parked_txid       bigint,
    out parked_message_id bigint
)
language plpgsql
stable
as $$
begin
    if not (select lane.is_gated from symphony.lane where lane.lane_id = _first_parked.lane_id) then
        return;
    end if;
    select m.txid, m.message_id into parked_txid, parked_message_id
    from (
        select message.txid, message.message_id
        from symphony.message
        where message.lane_id = _first_parked.lane_id
          and (message.txid, message.message_id) > (_first_parked.txid, _first_parked.message_id)
        order by message.txid, message.message_id
        limit at_most + 1
    ) as m
    where exists (select from symphony.parked where parked.message_id = m.message_id)
    order by m.txid, m.message_id
    limit 1;
end;
$$;

comment on function symphony._first_parked is
$$The first message of a lane that waits for its key, behind a place in the log.

Arguments  lane_id
           txid, message_id - the place
           at_most - so many messages behind it are looked at
Returns    parked_txid - of the message; null: there is no such one
           parked_message_id
Access     private$$;
