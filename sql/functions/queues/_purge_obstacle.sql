create or replace function symphony._purge_obstacle(queue_name text, now timestamptz)
returns table (obstacle text)
language sql
stable
as $$
    /*
     * A purge walks the claims of a lane up to the first that is not over, and up to the oldest
     * transaction that may yet add messages.  It stops at a message that waits for its key, with all
     * behind it.  A minute more than the retention is nothing to tell.
     */
    select coalesce(
        (select format('claim %s of worker %s, which has been open since %s', first.claim_id,
                       coalesce(first.worker, '(unnamed)'), first.claimed_at)
         from symphony.lane
         join symphony.purge_position as p on p.lane_id = lane.lane_id
         cross join lateral (
             select c.claim_id, c.worker, c.claimed_at, c.open_ids
             from symphony.claim as c
             where c.lane_id = lane.lane_id and c.claim_id >= p.claim_id
             order by c.claim_id
             limit 2
         ) as first
         where lane.queue_name = q.queue_name and lane.is_used
           and first.open_ids <> '{}' and first.claimed_at < q.before
         order by first.claimed_at
         limit 1),
        (select format('message %s, which has waited for its key %s since %s', first.message_id,
                       first.group_key, coalesce(first.available_at, first.enqueued_at))
         from symphony.lane
         join symphony.purge_position as p on p.lane_id = lane.lane_id
         cross join lateral (
             select m.message_id, m.group_key, m.available_at, m.enqueued_at
             from symphony.message as m
             where m.lane_id = lane.lane_id and (m.txid, m.message_id) > (p.txid, p.message_id)
             order by m.txid, m.message_id
             limit 1
         ) as first
         join symphony.parked on parked.message_id = first.message_id
         where lane.queue_name = q.queue_name and lane.is_used and lane.is_gated
           and first.enqueued_at < q.before
         order by first.enqueued_at
         limit 1),
        (select format('the transaction of pid %s, which has been open since %s', a.pid, a.xact_start)
         from pg_stat_activity as a
         where pg_snapshot_xmin(pg_current_snapshot()) <> pg_snapshot_xmax(pg_current_snapshot())
           and a.backend_xid = pg_snapshot_xmin(pg_current_snapshot())::xid and a.xact_start < q.before
         limit 1))
    from (
        select queue.queue_name,
               _purge_obstacle.now - queue.retention - interval '1 minute' as before
        from symphony.queue where queue.queue_name = _purge_obstacle.queue_name
    ) as q
$$;

comment on function symphony._purge_obstacle is
$$What keeps completed messages of a queue from being purged when their retention is over.

Arguments  queue_name
           now
Returns    part of a sentence; null: nothing does
Access     private$$;
