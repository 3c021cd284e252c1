create or replace function symphony.heartbeat(
    worker  text,
    queues  text[],
    details jsonb default '{}',
    work    jsonb default null
)
returns text
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
declare
    v_request text;
begin
    perform symphony._check_worker(heartbeat.worker, heartbeat.queues);
    insert into symphony.worker as known (worker, queues, details, started_at, seen_at)
    values (heartbeat.worker, heartbeat.queues, coalesce(heartbeat.details, '{}'),
            symphony._now(), symphony._now())
    on conflict on constraint worker_pkey do update
        set queues = case when known.queues = excluded.queues then known.queues
                          else excluded.queues end,    -- many are not written anew each time
            details = excluded.details, seen_at = excluded.seen_at
    returning known.request into v_request;
    if work is not null then
        perform symphony._tell_work(work, heartbeat.queues);
    end if;
    return v_request;
end;
$$;

comment on function symphony.heartbeat is
$$Say that a worker is alive, and hear what is asked of it. Call it every 5 seconds, and when
symphony:<queue> is notified with the payload "request". A worker that is silent for 60 seconds is
forgotten by tick().

Arguments  worker - the name it claims with
           queues - those it consumes
           details - what people may want to know of it: "running" is an array of {"message_id",
               "seconds"}, what it has begun and how long ago; "busy" says for how many seconds all
               its slots have been taken; "state" may be "stopping"
           work - what its handlers did since it last told so: an array of {"queue_name",
               "message_type", "handled", "failed", "worked"}. "worked" are pairs [b, n]: n of them
               took more than 2^((b-1)/2) and at most 2^(b/2) milliseconds. See type_figures()
Returns    what request_workers() asked of it. stop: end; pause: claim nothing; null: go on
Raises     SY001 unknown_queue
           22023 invalid_parameter_value
           42501 insufficient_privilege - the role may use other queues only
Writes     symphony.worker, symphony.work
Access     consumer$$;
