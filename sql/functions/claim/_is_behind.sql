create or replace function symphony._is_behind(claim_id bigint, message_id bigint)
returns boolean
language sql
stable
as $$
    select exists (
        select
        from symphony.claim
        join symphony.message as mine on mine.message_id operator(pg_catalog.=) _is_behind.message_id
        join symphony.lane on lane.lane_id operator(pg_catalog.=) claim.lane_id
        join symphony.queue on queue.queue_name operator(pg_catalog.=) lane.queue_name
        cross join lateral pg_catalog.unnest(claim.open_ids) with ordinality as open (message_id, number)
        join symphony.message on message.message_id operator(pg_catalog.=) open.message_id
        where claim.claim_id operator(pg_catalog.=) _is_behind.claim_id
          and queue.ordered
          and message.group_key operator(pg_catalog.=) mine.group_key
          and open.number operator(pg_catalog.<) pg_catalog.array_position(claim.open_ids, mine.message_id)
          and (message.expires_at operator(pg_catalog.<=) claim.claimed_at) is not true)
$$;

comment on function symphony._is_behind(bigint, bigint) is
$$Whether the turn of a message has not come yet: in an ordered queue, one of its key that may still
be started is open before it in its claim.

Arguments  claim_id
           message_id - open in it
Access     private$$;

revoke execute on function symphony._is_behind(bigint, bigint) from public;
