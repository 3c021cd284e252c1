create or replace function symphony.purge_queue(queue_name text)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
/*
 * The position of each lane steps over what is pending; nothing is read or deleted, so it
 * takes no longer for a million messages.  tick() removes them with the completed ones.
 */
declare
    v_lane_id  integer;
    v_finished int8multirange;
begin
    if not exists (select from symphony.queue as q where q.queue_name = purge_queue.queue_name) then
        perform symphony._refuse_queue(purge_queue.queue_name);
    end if;
    perform symphony._check_isolation();
    for v_lane_id in
        select lane.lane_id from symphony.lane
        where lane.queue_name = purge_queue.queue_name
        order by lane.lane_id
    loop
        perform symphony._lock_lane(v_lane_id, wait => true);
        v_finished := symphony._finished_transactions();
        insert into symphony.claim (
            lane_id, claimed_at, lease_until, finished_at, size, open_ids, ahead)
        select v_lane_id, symphony._now(), symphony._now(), symphony._now(), 0, '{}',
               ahead - v_finished
        from symphony._position(v_lane_id);
    end loop;
end;
$$;

comment on function symphony.purge_queue(text) is
$$Drop all pending messages of a queue, at once and however many there are. Delayed ones stay, and
those being processed.

Arguments  queue_name
Raises     SY001 unknown_queue; SY011 wrong_isolation_level
Writes     symphony.claim (a row for each lane)
Locks      the lanes of the queue until the transaction ends
Access     operator$$;

revoke execute on function symphony.purge_queue(text) from public;
