create or replace function symphony._removals()
returns table (lane_id integer, ahead int8multirange, partial_txid bigint, partial_message_id bigint,
               was int8multirange, was_txid bigint, was_id bigint)
language plpgsql
stable
as $$
begin
    return query
    select c.lane_id, c.ahead, c.partial_txid, c.partial_message_id, coalesce(before.ahead, '{(,)}'),
           before.partial_txid, before.partial_message_id
    from symphony.claim as c
    left join lateral (
        select earlier.* from symphony.claim as earlier
        where earlier.lane_id = c.lane_id and earlier.claim_id < c.claim_id
        order by earlier.claim_id desc
        limit 1
    ) as before on true
    where c.size = 0 and c.keys is null;
end;
$$;

comment on function symphony._removals is
$$The positions that nobody's work has set, but create_queue() and purge_queue().

Returns    lane_id - the lane
           ahead, partial_txid, partial_message_id - what was ahead of it then
           was, was_txid, was_id - and what had been before: the difference is removed
Access     private$$;
