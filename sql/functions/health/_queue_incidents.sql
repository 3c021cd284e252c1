create or replace function symphony._queue_incidents(now timestamptz)
returns setof symphony.incident
language plpgsql
stable
as $$
/*
 * Clients in other languages need not say that they are alive: what is claimed from has a worker.
 */
declare
    v_most record := symphony._thresholds();
begin
    return query
    select case when o.code in ('no_worker', 'workers_silent') then 'critical' else 'warning' end,
           o.code, idle.queue_name, o.sentence || '.', coalesce(o.since, idle.since),
           case o.code
               when 'no_worker' then format('Messages have waited for %s, and no worker was heard of.',
                                            symphony._duration(now - idle.since))
               when 'workers_paused'
                   then concat('Messages wait. The workers were asked to', ' by ' || o.doing, '.')
               when 'workers_silent' then 'Messages wait. The workers hang, were killed, or are cut off.'
               else format('Messages wait. %s.', o.doing) end,
           o.command
    from symphony._long_waiting(now) as idle
    cross join lateral symphony._worker_obstacle(idle.queue_name, now, v_most.busy) as o
    where (idle.claimed_at < now - v_most.waiting) is not false and o.code is not null;
end;
$$;

comment on function symphony._queue_incidents is
$$Queues of which messages wait, and no worker takes any.

Arguments  now
Access     private$$;
