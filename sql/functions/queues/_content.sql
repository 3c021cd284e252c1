create or replace function symphony._content(queue_name text, at_most integer)
returns table (pending bigint, delayed bigint, failed bigint, oldest timestamptz)
language plpgsql
stable
as $$
declare
    v_lanes integer[] := array(
        select lane.lane_id from symphony.lane
        where lane.queue_name = _content.queue_name
          and (lane.is_used or exists (select from symphony.lane_use)));
begin
    return query
    select (select count(*)
            from (select from unnest(v_lanes) as l (lane_id), symphony._pending(l.lane_id, at_most)
                  limit at_most) as found),
           (select count(*)
            from (select from unnest(v_lanes) as l (lane_id)
                  join symphony.delayed_message as d on d.lane_id = l.lane_id
                  limit at_most) as found),
           (select count(*)
            from (select from unnest(v_lanes) as l (lane_id)
                  join symphony.failed_message as f on f.lane_id = l.lane_id
                  limit at_most) as found),
           (select min(coalesce(head.available_at, head.enqueued_at))
            from unnest(v_lanes) as l (lane_id), symphony._pending(l.lane_id, 1) as head);
end;
$$;

comment on function symphony._content(text, integer) is
$$How many messages are in a queue, for queue_stats().

Arguments  queue_name
           at_most - where to stop counting
Returns    oldest - since when the message at the head of a lane has been due, the oldest of them
Access     private$$;

revoke execute on function symphony._content(text, integer) from public;
