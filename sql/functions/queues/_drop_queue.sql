create or replace function symphony._drop_queue(queue_name text, force boolean)
returns boolean
language plpgsql
volatile
set lock_timeout = '100ms'
as $$
/*
 * The table locks wait for messages that are not yet committed, and hold up new ones.  Whoever
 * sends those finds out afterwards that the queue is gone: the statement that inserts looks it up.
 */
declare
    v_lanes      integer[];
    v_held       bigint;
    v_transports text;
begin
    perform from symphony.queue as q where q.queue_name = _drop_queue.queue_name for update;
    if not found then
        return false;
    end if;
    select string_agg(t.transport_name, ', ') into v_transports
    from symphony.transport as t
    where t.queue_name = _drop_queue.queue_name;
    if v_transports is not null then
        raise exception 'transports lead to queue "%"', _drop_queue.queue_name
            using errcode = '55000',
                  detail  = format('They are: %s.', v_transports),
                  hint    = 'Give them another queue: symphony.create_transport(); or remove them.';
    end if;
    lock table symphony.message in share row exclusive mode;
    lock table symphony.delayed_message in share row exclusive mode;
    v_lanes := array(select lane.lane_id from symphony.lane
                     where lane.queue_name = _drop_queue.queue_name order by lane.lane_id);
    perform symphony._lock_lane(lane_id) from unnest(v_lanes) as lane_id;
    perform from symphony.claim as c
    where c.lane_id = any (v_lanes) and c.open_ids <> '{}'
    for update;

    select (select count(*) from unnest(v_lanes) as l (lane_id), symphony._pending(l.lane_id))
         + (select count(*) from symphony.delayed_message as d where d.lane_id = any (v_lanes))
         + (select count(*) from symphony.failed_message as f where f.lane_id = any (v_lanes))
         + (select coalesce(sum(cardinality(c.open_ids)), 0) from symphony.claim as c
            where c.lane_id = any (v_lanes) and c.open_ids <> '{}')
         + (select count(*) from symphony.parked as p where p.queue_name = _drop_queue.queue_name)
    into v_held;
    if v_held > 0 and force is not true then
        raise exception 'queue "%" holds % messages', _drop_queue.queue_name, v_held
            using errcode = 'SY002',
                  detail  = 'They are pending, delayed, being processed or failed.',
                  hint    = 'Work them off, or drop them too with force => true.';
    end if;

    perform symphony._forget(array(
        select held.message_id from symphony._all_messages() as held
        join symphony.attempt on attempt.message_id = held.message_id
        where held.lane_id = any (v_lanes)));
    delete from symphony.message as m where m.lane_id = any (v_lanes);
    delete from symphony.delayed_message as d where d.lane_id = any (v_lanes);
    delete from symphony.failed_message as f where f.lane_id = any (v_lanes);
    delete from symphony.claim as c where c.lane_id = any (v_lanes);
    perform symphony._drop_gate(queue_name);
    delete from symphony.idempotency_key as k where k.queue_name = _drop_queue.queue_name;
    delete from symphony.idle_worker as i where i.queue_name = _drop_queue.queue_name;
    delete from symphony.purge_position as p where p.lane_id = any (v_lanes);
    delete from symphony.tally as t where t.lane_id = any (v_lanes);
    delete from symphony.stretch as s where s.lane_id = any (v_lanes);
    delete from symphony.figure as f where f.lane_id = any (v_lanes);
    delete from symphony.work as w where w.queue_name = _drop_queue.queue_name;
    delete from symphony.type_figure as f where f.queue_name = _drop_queue.queue_name;
    delete from symphony.lane_use as u where u.lane_id = any (v_lanes);
    delete from symphony.lane as l where l.lane_id = any (v_lanes);
    update symphony.access as a set queues = array_remove(a.queues, _drop_queue.queue_name)
    where _drop_queue.queue_name = any (a.queues);
    delete from symphony.queue as q where q.queue_name = _drop_queue.queue_name;
    perform symphony._audit('drop_queue', jsonb_build_object(
        'queue_name', queue_name, 'force', force), v_held);
    return true;
end;
$$;

comment on function symphony._drop_queue is
$$Try once to remove a queue.

Arguments  as for drop_queue()
Returns    as drop_queue() does
Raises     SY002 queue_not_empty
           55000 object_not_in_prerequisite_state - transports lead to the queue
           55P03 lock_not_available - somebody has what is to go
Locks      the row of the queue, the tables message and delayed_message, the lanes, open claims
Access     private$$;
