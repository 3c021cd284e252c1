create or replace function symphony.list_queues()
returns setof text
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
/*
 * claim_batch() takes from the first queue that has messages.  A worker of all queues asks for
 * this list every few seconds, so that no busy queue keeps the others waiting for longer.
 */
    select queue.queue_name
    from symphony.queue
    cross join lateral (
        select max(newest.claimed_at) as served_at
        from symphony.lane
        cross join lateral (
            select claim.claimed_at
            from symphony.claim
            where claim.lane_id = lane.lane_id
            order by claim.claim_id desc
            limit 1
        ) as newest
        where lane.queue_name = queue.queue_name and (lane.is_used or exists (select from symphony.lane_use))
    ) as last_claim
    order by last_claim.served_at nulls first, queue.queue_name
$$;

comment on function symphony.list_queues() is
$$List the queues in the order in which a worker of all of them should claim.

Returns    their names. The first is the one that nothing was claimed from for the longest time
Access     consumer, operator, observer$$;

revoke execute on function symphony.list_queues() from public;
