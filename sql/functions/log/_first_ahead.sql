create or replace function symphony._first_ahead(
    lane_id            integer,
    ahead              int8multirange,
    partial_txid       bigint,
    partial_message_id bigint,
    before_txid        bigint,
    out txid       bigint,
    out message_id bigint
)
language plpgsql
stable
as $$
begin
    select first.txid, first.message_id into txid, message_id
    from unnest(ahead * int8multirange(int8range(null, before_txid))) as part,
    lateral (
        select m.txid, m.message_id
        from symphony.message as m
        where m.lane_id = _first_ahead.lane_id
          and (m.txid, m.message_id) > (
              lower(part), case when lower(part) = partial_txid then partial_message_id else 0 end)
          and m.txid < upper(part)
          and symphony._is_ahead(m.txid, m.message_id, ahead, partial_txid, partial_message_id)
        order by m.txid, m.message_id
        limit 1
    ) as first
    order by first.txid, first.message_id
    limit 1;
end;
$$;

comment on function symphony._first_ahead is
$$The first message of a lane that a position has still to hand out.

Arguments  lane_id
           ahead - the transactions still to come
           partial_txid - the one of them that was handed out in part; null: there is no such one
           partial_message_id - as far as that
           before_txid - look at transactions below this
Returns    txid - of the message; null: nothing of these transactions is ahead
           message_id
Access     private$$;
