create or replace function symphony._lane_alone(queue_name text, priority smallint)
returns integer
language plpgsql
volatile
as $$
/*
 * The lock is for disable_transport(): it waits for the new lane, or the new lane is held from
 * the start.
 */
declare
    v_lane_id integer;
begin
    select lane.lane_id into v_lane_id
    from symphony.lane
    where lane.queue_name = _lane_alone.queue_name
      and lane.priority = _lane_alone.priority
      and lane.alone;
    if not found then
        insert into symphony.lane (queue_name, priority, alone, is_used, is_held, max_body_bytes,
                                   is_gated)
        select lane.queue_name, lane.priority, true, true, lane.is_held, lane.max_body_bytes,
               lane.is_gated
        from symphony.lane
        where lane.queue_name = _lane_alone.queue_name
          and lane.priority = _lane_alone.priority
          and not lane.alone
        for share
        on conflict on constraint lane_key do nothing
        returning lane.lane_id into v_lane_id;
        if not found then    -- another session was faster
            return symphony._lane_alone(queue_name, priority);
        end if;
        insert into symphony.claim (
            lane_id, claimed_at, lease_until, finished_at, size, open_ids, ahead)
        values (v_lane_id, symphony._now(), symphony._now(), symphony._now(), 0, '{}', '{[0,)}');
        insert into symphony.purge_position (lane_id) values (v_lane_id);
        insert into symphony.tally (lane_id) values (v_lane_id);
    end if;
    return v_lane_id;
end;
$$;

comment on function symphony._lane_alone is
$$The lane of a queue and priority whose messages are claimed one by one. It is made when it is first
needed.

Arguments  queue_name
           priority
Returns    its lane_id
Writes     symphony.lane, symphony.claim, symphony.purge_position, symphony.tally, the first
           time
Access     private$$;
