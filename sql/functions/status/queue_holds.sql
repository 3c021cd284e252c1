create or replace function symphony.queue_holds(queue_name text)
returns table (hold text, detail text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
/*
 * In the order of why_not_running(): what holds all messages first, then what holds some.
 */
declare
    c_most  constant integer := 1000;
    v_now   timestamptz := symphony._now();
    v_lanes integer[];
    v_queue symphony.queue;
begin
    perform symphony._check_queues(array[queue_holds.queue_name]);
    select * into v_queue from symphony.queue as q where q.queue_name = queue_holds.queue_name;
    v_lanes := array(select lane.lane_id from symphony.lane where lane.queue_name = queue_holds.queue_name);
    return query
    select 'paused', format('Since %s by %s: nothing is handed out.', v_queue.paused_at, v_queue.paused_by)
    where v_queue.paused_at is not null;
    return query
    select 'disabled', remark.what
    from (select distinct symphony._hold_remark(lane.lane_id) as what
          from symphony.lane where lane.lane_id = any (v_lanes) and lane.is_held) as remark;
    return query
    select 'locked', format('The %s is locked by %s.',
                            coalesce('lane of priority ' || held.priority, 'gate'), held.who)
    from symphony._held_locks() as held
    where held.queue_name = queue_holds.queue_name;
    return query
    select 'limit', limited.remark
    from symphony._limit_remark(queue_holds.queue_name, v_now) as limited (remark)
    where limited.remark is not null;
    return query
    select case when w.code = 'workers_busy' then 'busy' else 'no worker' end, w.remark
    from symphony._worker_remark(queue_holds.queue_name, v_now) as w
    where w.code is not null;
    return query
    select 'waiting', format('%s%s of its messages wait for their keys: symphony-pg key list %s', count(*),
                             case when count(*) = c_most then ' or more' end, queue_holds.queue_name)
    from (select from symphony.parked
          where parked.queue_name = queue_holds.queue_name limit c_most) as waiting
    having count(*) > 0;
    return query
    with later as (
        select d.available_at, d.attempt > 0 as is_retry,
               d.available_at < v_now - interval '10 seconds' as is_late
        from symphony.delayed_message as d
        where d.lane_id = any (v_lanes)
        limit c_most
    )
    select case when later.is_late then 'late' when later.is_retry then 'retried' else 'delayed' end,
           format('%s%s of its messages %s.', count(*),
                  case when (select count(*) from later) = c_most then ' or more' end,
                  case when later.is_late then 'became due, but ' || symphony._tick_remark()
                       when (select count(*) from later) = c_most then 'wait'
                       else 'wait, the first one until ' || min(later.available_at) end)
    from later
    group by later.is_late, later.is_retry
    order by later.is_late desc, later.is_retry desc;
end;
$$;

comment on function symphony.queue_holds is
$$What delays or holds messages of a queue now. why_not_running() says it of one message.

Arguments  queue_name - the queue
Returns    a row for each. Without a row nothing does, but for the messages before them
           hold - paused, disabled, locked, limit, no worker, busy, waiting, late, retried or
               delayed
           detail - a sentence: who did it and since when, how many messages, until when. At most
               1,000 messages are looked at
Raises     SY001 unknown_queue
Access     operator, observer$$;
