create or replace function symphony.metrics()
returns table (metric text, labels jsonb, value double precision)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select 'symphony_build_info', jsonb_build_object('schema_version', symphony.version()), 1::float8
    union all
    select found.metric, jsonb_build_object('queue', q.queue_name) || found.labels, found.value
    from symphony.queue_stats() as q
    cross join lateral (values
        ('symphony_queue_messages', '{"state": "pending"}'::jsonb, q.pending::float8),
        ('symphony_queue_messages', '{"state": "delayed"}', q.delayed),
        ('symphony_queue_messages', '{"state": "processing"}', q.processing),
        ('symphony_queue_messages', '{"state": "failed"}', q.failed),
        ('symphony_queue_oldest_pending_age_seconds', '{}',
         coalesce(extract(epoch from q.oldest_pending_age), 0)),
        ('symphony_queue_paused', '{}', q.paused::integer),
        ('symphony_queue_waiting_keys', '{}', q.waiting)
    ) as found (metric, labels, value)
    union all
    select 'symphony_workers', jsonb_build_object('queue', q.queue_name, 'state', w.state), count(*)
    from symphony.worker_activity() as w
    cross join lateral unnest(w.queues) as q (queue_name)
    group by q.queue_name, w.state
    union all
    select 'symphony_schedule_next_run_timestamp_seconds', jsonb_build_object('schedule', s.schedule_name),
           extract(epoch from s.next_run_at)
    from symphony.schedule as s
    where s.enabled and s.next_run_at is not null
    union all
    select 'symphony_last_tick_timestamp_seconds', '{}', extract(epoch from t.ticked_at)
    from (select ticked_at from symphony.tick order by tick_id desc limit 1) as t
    union all
    select 'symphony_transport_up', jsonb_build_object('transport', t.transport_name), t.enabled::integer
    from symphony.transport as t
    order by 1, 2
$$;

comment on function symphony.metrics() is
$$All that a monitoring system is to know, in one query: names, labels and values as Prometheus has
them. docs/monitoring.md lists the metrics.

Returns    a row for each value
           metric - its name; a counter ends with _total, the parts of a histogram with _bucket,
               _sum and _count
           labels - what it is about: queue, state, schedule, transport
           value - what it is now; of what is counted only up to a limit, as far as it was counted
Access     operator, observer$$;

revoke execute on function symphony.metrics() from public;
