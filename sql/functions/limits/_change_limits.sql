create or replace function symphony._change_limits(queue_name text)
returns void
language plpgsql
volatile
as $$
/*
 * With all lanes of the queue in hand nobody is at its gate.  Whoever has a message goes on: its claim is
 * counted from now on, whatever it was made by.  Without limits the gate stays as long as something is in
 * hands: that may have waited for its key, and only the gate tells a purge to leave it.
 */
declare
    v_queue symphony.queue;
    v_gated boolean;
    v_lanes integer[];
    v_open  bigint[];
    v_gate  symphony.gate_state;
begin
    perform symphony._check_isolation();
    select * into v_queue from symphony.queue where queue.queue_name = _change_limits.queue_name;
    v_gated := symphony._is_gated(v_queue);
    perform from symphony.lane    -- waits for a lane that _lane_alone() is about to make
    where lane.queue_name = _change_limits.queue_name
    order by lane.lane_id
    for no key update;
    v_lanes := array(select lane.lane_id from symphony.lane
                     where lane.queue_name = _change_limits.queue_name order by lane.lane_id);
    perform symphony._lock_lane(lane_id) from unnest(v_lanes) as lane_id;
    update symphony.lane
    set is_gated       = v_gated,
        max_body_bytes = case when v_queue.ordered and lane.priority <> 5 then 0
                              else v_queue.max_body_bytes end
    where lane.lane_id = any (v_lanes);

    if symphony._is_keyed(v_queue) then
        if not v_queue.ordered then
            delete from symphony.held_key where held_key.queue_name = _change_limits.queue_name;
        end if;
        insert into symphony.freed_key (queue_name, group_key)
        select distinct parked.queue_name, parked.group_key
        from symphony.parked where parked.queue_name = _change_limits.queue_name;
        update symphony.claim
        set keys = array(select message.group_key
                         from unnest(claim.open_ids) with ordinality as open (message_id, number)
                         join symphony.message on message.message_id = open.message_id
                         order by open.number)
        where claim.lane_id = any (v_lanes) and claim.open_ids <> '{}';
    else
        perform symphony._unpark(_change_limits.queue_name);
    end if;
    if v_queue.key_rate is null then
        delete from symphony.key_pace where key_pace.queue_name = _change_limits.queue_name;
    else
        update symphony.key_pace
        set full_at = symphony._full_at(v_queue.key_rate, null, key_pace.full_at, symphony._now(), 0),
            next_at = null    -- all that wait are looked at
        where key_pace.queue_name = _change_limits.queue_name;
    end if;
    v_gate := symphony._gate(queue_name);
    v_open := array(select claim.claim_id from symphony.claim
                    where claim.lane_id = any (v_lanes) and claim.open_ids <> '{}');
    delete from symphony.gate where gate.queue_name = _change_limits.queue_name;
    insert into symphony.gate (queue_name, open_claims, has_parked, full_at)
    select _change_limits.queue_name, v_open,
           exists (select from symphony.parked where parked.queue_name = _change_limits.queue_name),
           symphony._full_at(v_queue.rate, v_queue.burst, v_gate.full_at, symphony._now(), 0)
    where v_gated or v_open <> '{}';
    perform symphony._wake_workers(v_lanes);
end;
$$;

comment on function symphony._change_limits is
$$Let the lanes of a queue follow its settings ordered, key_concurrency, concurrency, rate, burst and
key_rate.

Arguments  queue_name - its row is locked
Raises     SY011 wrong_isolation_level
Writes     symphony.lane, symphony.gate, symphony.freed_key, symphony.key_pace, symphony.claim, and
           what _unpark() writes; NOTIFY if a worker sleeps
Locks      the lanes of the queue and its open claims until the transaction ends
Access     private$$;
