create or replace function symphony._pending_before(message_id bigint, at_most integer)
returns bigint
language plpgsql
stable
as $$
declare
    v_before bigint;
begin
    select count(*) into v_before
    from (
        select
        from symphony.message as m
        join symphony.lane as own on own.lane_id = m.lane_id
        join symphony.lane as other on other.queue_name = own.queue_name
            and (other.priority, other.alone) >= (own.priority, own.alone)
        cross join lateral symphony._pending(other.lane_id, at_most) as p
        where m.message_id = _pending_before.message_id
          and (other.lane_id <> own.lane_id or (p.txid, p.message_id) < (m.txid, m.message_id))
        limit at_most
    ) as before;
    return v_before;
end;
$$;

comment on function symphony._pending_before is
$$How many messages of its queue are to be handed out before a pending one.

Arguments  message_id
           at_most - where to stop counting
Access     private$$;
