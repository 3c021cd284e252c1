create or replace function symphony._claim_expiring(
    lane_id    integer,
    batch_size integer,
    worker     text,
    lease      interval,
    wait       boolean,
    slots      integer,
    others     integer[],
    is_gated   boolean
)
returns setof symphony.claimed_message
language plpgsql
volatile
as $$
/*
 * Messages are claimed as ever; those that are late are then settled, and not returned.  If all were, the
 * next ones are claimed, up to some 5,000 in 100 goes: then others get the lane, and the next claim goes on.
 * Where late ones have left room under a limit, there may be more for it.
 */
#variable_conflict use_column
declare
    v_lane_id  integer := _claim_expiring.lane_id;
    v_first_id bigint;
    v_last_id  bigint := (select position.claim_id from symphony._position(v_lane_id) as position);
    v_passed   integer := 0;
begin
    loop
        v_first_id := v_last_id;
        return query
        with claimed as materialized (
            select * from symphony._claim_lane(v_lane_id, batch_size, worker, lease, wait, slots, others,
                                               with_late => true)
        ), settled as materialized (
            select done.open_ids, is_gated and cardinality(done.open_ids) < done.size as has_room
            from (select symphony._expire(v_lane_id, v_first_id) as open_ids, each.size
                  from (select count(*) as size from claimed) as each) as done
        )
        select c.claim_id, c.message_id, c.queue_name, c.message_type, c.body, c.headers, c.priority,
               c.attempt, c.max_attempts, c.group_key, c.enqueued_at, c.lease_until, c.alone,
               c.has_more or settled.has_room, c.ordered, case when not settled.has_room then c.next_at end
        from claimed as c, settled
        where c.message_id = any (settled.open_ids);
        exit when found;
        v_last_id := (select position.claim_id from symphony._position(v_lane_id) as position);
        exit when v_last_id = v_first_id;
        v_passed := v_passed + greatest(
            (select claim.size from symphony.claim where claim.claim_id = v_last_id), 50);
        if v_passed >= 5000 then
            perform symphony._notify(lane.queue_name, '')
            from symphony.lane where lane.lane_id = v_lane_id;
            exit;
        end if;
    end loop;
end;
$$;

comment on function symphony._claim_expiring is
$$Take the next messages of a lane some of whose messages expire.

Arguments  lane_id - locked
           batch_size, worker, lease - as for claim_batch()
           wait, slots - as for _claim_gated()
           others - as for _claim_lane()
           is_gated - as _lane_settings() says
Returns    as claim_batch() does
Writes     what _claim_lane() and _expire() write; NOTIFY if it came through thousands of messages
           that were late
Locks      what _claim_gated() locks
Access     private$$;
