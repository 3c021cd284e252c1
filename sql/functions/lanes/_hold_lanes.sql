create or replace function symphony._hold_lanes(queue_name text)
returns void
language plpgsql
volatile
as $$
/*
 * A lane is held while a transport of its queue and priority is disabled, and a lane that is no
 * transport's while all transports of the queue are.  The first statement waits for a lane that
 * _lane_alone() is about to make; the second one sees it.
 */
declare
    v_freed integer[];
begin
    perform symphony._check_isolation();
    perform from symphony.lane
    where lane.queue_name = _hold_lanes.queue_name and not lane.alone
    order by lane.lane_id
    for no key update;

    with changed as (
        update symphony.lane
        set is_held = not lane.is_held
        where lane.queue_name = _hold_lanes.queue_name
          and lane.is_held is distinct from coalesce(
              (select bool_or(not t.enabled) from symphony.transport as t
               where t.queue_name = lane.queue_name and coalesce(t.priority, 5) = lane.priority),
              (select bool_and(not t.enabled) from symphony.transport as t
               where t.queue_name = lane.queue_name),
              false)
        returning lane.lane_id, lane.is_held
    )
    select array_agg(changed.lane_id) into v_freed
    from changed
    where not changed.is_held;
    perform symphony._wake_workers(v_freed);
end;
$$;

comment on function symphony._hold_lanes is
$$Hold the lanes of disabled transports, and no others.

Arguments  queue_name - null: nothing to do
Raises     SY011 wrong_isolation_level
Writes     symphony.lane; NOTIFY if a worker of the queue sleeps
Access     private$$;
