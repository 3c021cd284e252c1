create or replace function symphony._content(queue_name text, at_most integer)
returns table (delayed bigint, failed bigint, oldest timestamptz, waiting bigint)
language sql
stable
as $$
    /*
     * It is one statement that can be inlined: to start a plan for each of a thousand queues takes longer.
     * The last offset keeps what is read twice from being counted twice.
     */
    select (select pg_catalog.count(*)
            from (select
                  from symphony.delayed_message as d
                  where d.lane_id operator(pg_catalog.=) any (used.lane_ids)
                  limit at_most) as found),
           (select pg_catalog.count(*)
            from (select
                  from symphony.failed_message as f
                  where f.lane_id operator(pg_catalog.=) any (used.lane_ids)
                  limit at_most) as found),
           (select pg_catalog.min(coalesce(head.available_at, head.enqueued_at))
            from pg_catalog.unnest(used.lane_ids) as l (lane_id),
                 lateral symphony._pending(l.lane_id, 1) as head),
           (select pg_catalog.count(*)
            from (select
                  from symphony.parked as p
                  where p.queue_name operator(pg_catalog.=) _content.queue_name
                  limit at_most) as found)
    from (
        select array(
            select lane.lane_id from symphony.lane
            where lane.queue_name operator(pg_catalog.=) _content.queue_name
              and (lane.is_used or exists (select from symphony.lane_use))) as lane_ids
        offset 0
    ) as used
    offset 0
$$;

comment on function symphony._content is
$$How many messages are in a queue and not pending, for queue_stats().

Arguments  queue_name
           at_most - where to stop counting
Returns    delayed - until their time comes
           failed - for good
           oldest - since when the message at the head of a lane has been due, the oldest of them
           waiting - for others of their key
Access     private$$;
