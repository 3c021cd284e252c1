create or replace function symphony.list_queues()
returns setof text
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
/*
 * claim_batch() takes from the first queue that has messages.  A worker of all queues asks for
 * this list every few seconds, so that no busy queue keeps the others waiting for longer.
 */
begin
    return query
    select queue.queue_name
    from symphony.queue
    left join (
        select used.queue_name, max(newest.claimed_at) as served_at
        from (
            select lane.lane_id, lane.queue_name from symphony.lane where lane.is_used
            union all
            select lane.lane_id, lane.queue_name from symphony.lane
            where not lane.is_used and exists (select from symphony.lane_use)
        ) as used
        cross join lateral (
            select claim.claimed_at
            from symphony.claim
            where claim.lane_id <= used.lane_id    -- as in _position()
            order by claim.lane_id desc, claim.claim_id desc
            limit 1
        ) as newest
        group by used.queue_name
    ) as last_claim on last_claim.queue_name = queue.queue_name
    where (not symphony._is_limited()
           or symphony._is_listed('{consumer,operator,observer}', queue.queue_name))
      and not exists (
          select from symphony.transport
          where transport.queue_name = queue.queue_name and symphony._is_broker(transport.transport_type))
    order by last_claim.served_at nulls first, queue.queue_name;
end;
$$;

comment on function symphony.list_queues is
$$List the queues that the role may use, in the order in which a worker of all of them should claim.
Queues that are the outbox of a broker are left out.

Returns    their names. The first is the one that nothing was claimed from for the longest time
Access     consumer, operator, observer$$;
