create or replace function symphony._broker_metrics(now timestamptz)
returns table (metric text, labels jsonb, value double precision)
language sql
stable
as $$
    select found.metric, pg_catalog.jsonb_build_object('transport', t.transport_name), found.value
    from symphony.transport as t
    cross join lateral symphony._totals(t.queue_name) as total
    left join lateral symphony._relays(t.transport_name, _broker_metrics.now) as r on true
    cross join lateral (values
        ('symphony_transport_up', coalesce(r.state operator(pg_catalog.=) 'up', false)::integer::float8),
        ('symphony_transport_relays', coalesce(r.relays, 0)),
        ('symphony_transport_consumers', coalesce(r.consumers, 0)),
        ('symphony_transport_pending_messages', total.pending operator(pg_catalog.+) total.processing),
        ('symphony_transport_forwarded_total', total.completed)
    ) as found (metric, value)
    where symphony._is_broker(t.transport_type)
$$;

comment on function symphony._broker_metrics is
$$What metrics() tells of brokers: whether relays reach them, what waits in their outboxes, and what
was forwarded.

Arguments  now
Returns    a row for each value
           metric - its name
           labels - the transport
           value - what it is now
Access     private$$;
