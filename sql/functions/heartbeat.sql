create or replace function symphony.heartbeat(
    worker  text,
    queues  text[],
    details jsonb default '{}'
)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform symphony._check_worker(heartbeat.worker, heartbeat.queues);
    insert into symphony.worker as known (worker, queues, details, started_at, seen_at)
    values (heartbeat.worker, heartbeat.queues, coalesce(heartbeat.details, '{}'),
            symphony._now(), symphony._now())
    on conflict on constraint worker_pkey do update
        set queues = excluded.queues, details = excluded.details, seen_at = excluded.seen_at;
end;
$$;

comment on function symphony.heartbeat(text, text[], jsonb) is
$$Say that a worker is alive. Call it every 10 seconds; after 60 silent ones tick() forgets it.

Arguments  worker - the name it claims with; queues - those it consumes; details - what people may
           want to know of it
Raises     SY001 unknown_queue; 22023 bad argument
Writes     symphony.worker
Access     consumer$$;

revoke execute on function symphony.heartbeat(text, text[], jsonb) from public;
