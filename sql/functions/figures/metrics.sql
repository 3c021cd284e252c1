create or replace function symphony.metrics()
returns table (metric text, labels jsonb, value double precision)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set enable_bitmapscan = off
as $$
    with total as materialized (
        select t.*, symphony._histogram(t.waited) as histogram from symphony._totals(null) as t
    ), bound as materialized (
        select array_agg((2::float8 ^ n / 1000)::text order by n) || '+Inf'::text as bounds
        from generate_series(0, 20) as n
    )
    select 'symphony_build_info', jsonb_build_object('schema_version', symphony.version()), 1::float8
    union all
    select found.metric, jsonb_build_object('queue', q.queue_name) || found.labels, found.value
    from symphony.queue as q
    cross join symphony._most_counted() as most
    cross join lateral symphony._content(q.queue_name, most) as c
    join total as t on t.queue_name = q.queue_name
    cross join lateral (values
        ('symphony_queue_messages', '{"state": "pending"}'::jsonb, t.pending::float8),
        ('symphony_queue_messages', '{"state": "delayed"}', c.delayed),
        ('symphony_queue_messages', '{"state": "processing"}', t.processing),
        ('symphony_queue_messages', '{"state": "failed"}', c.failed),
        ('symphony_queue_oldest_pending_age_seconds', '{}',
         coalesce(extract(epoch from symphony._now() - c.oldest), 0)),
        ('symphony_queue_paused', '{}', (q.paused_at is not null)::integer),
        ('symphony_queue_waiting_keys', '{}', c.waiting)
    ) as found (metric, labels, value)
    union all
    select 'symphony_incidents', jsonb_build_object('severity', s.severity), count(h.code)
    from unnest('{critical,warning,note}'::text[]) as s (severity)
    left join symphony.health() as h on h.severity = s.severity
    group by s.severity
    union all
    select found.metric, jsonb_object(array['queue', t.queue_name]), found.value
    from total as t
    cross join lateral (values
        ('symphony_queue_enqueued_total', t.arrived::float8),
        ('symphony_queue_claimed_total', t.claimed),
        ('symphony_queue_completed_total', t.completed),
        ('symphony_queue_retried_total', t.retried),
        ('symphony_queue_failed_total', t.failed),
        ('symphony_queue_returned_total', t.returned),
        ('symphony_queue_wait_seconds_sum', t.waited_seconds),
        ('symphony_queue_wait_seconds_count', t.histogram[22])
    ) as found (metric, value)
    union all
    select 'symphony_queue_wait_seconds_bucket',
           jsonb_object(array['queue', t.queue_name, 'le', b.bound]), b.messages
    from total as t
    cross join bound
    cross join lateral unnest(t.histogram, bound.bounds) as b (messages, bound)
    union all
    select 'symphony_workers', jsonb_build_object('queue', q.queue_name, 'state', w.state), count(*)
    from symphony._worker_states(symphony._now()) as w
    join symphony.worker on worker.worker = w.worker
    cross join lateral unnest(worker.queues) as q (queue_name)
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
    select 'symphony_transport_disabled', jsonb_build_object('transport', t.transport_name),
           (not t.enabled)::integer
    from symphony.transport as t
    union all
    select b.metric, b.labels, b.value
    from symphony._broker_metrics(symphony._now()) as b
    order by 1, 2
$$;

comment on function symphony.metrics is
$$All that a monitoring system is to know, in one query: names, labels and values as Prometheus has
them. docs/monitoring.md lists the metrics.

Returns    a row for each value, in the order of names and labels
           metric - its name; a counter ends with _total, the parts of a histogram with _bucket,
               _sum and _count
           labels - what it is about: queue, state, severity, schedule, transport
           value - what it is now; of what is counted only up to a limit, as far as it was counted
Access     operator, observer$$;
