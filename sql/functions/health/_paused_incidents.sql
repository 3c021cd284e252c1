create or replace function symphony._paused_incidents(now timestamptz)
returns setof symphony.incident
language plpgsql
stable
as $$
begin
    return query
    with waiting as materialized (
        select w.queue_name, bool_or(w.is_held) as is_held from symphony._waiting() as w group by w.queue_name
    )
    select case when w.queue_name is null then 'note' else 'warning' end, 'queue_paused', q.queue_name,
           format('Queue "%s" has been paused for %s%s.', q.queue_name, symphony._duration(now - q.paused_at),
                  case when w.queue_name is not null then ', and messages wait' end),
           q.paused_at,
           format('It was paused by %s.', q.paused_by),
           format('select symphony.resume_queue(%L);', q.queue_name)
    from symphony.queue as q
    left join waiting as w on w.queue_name = q.queue_name
    where q.paused_at is not null
    union all
    select case when w.is_held then 'warning' else 'note' end, 'transport_disabled', t.transport_name,
           format('Transport "%s" has been disabled for %s%s.', t.transport_name,
                  symphony._duration(now - t.disabled_at),
                  case when w.is_held then ', and messages wait' end),
           t.disabled_at, format('It was disabled by %s.', t.disabled_by),
           format('select symphony.enable_transport(%L);', t.transport_name)
    from symphony.transport as t
    left join waiting as w on w.queue_name = t.queue_name
    where not t.enabled;
end;
$$;

comment on function symphony._paused_incidents is
$$Queues that are paused, and transports that are disabled.

Arguments  now
Access     private$$;
