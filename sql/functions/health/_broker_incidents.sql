create or replace function symphony._broker_incidents(now timestamptz)
returns setof symphony.incident
language plpgsql
stable
as $$
begin
    return query
    select 'critical', 'broker_' || r.state, t.transport_name,
           format(case r.state when 'full' then 'The broker of transport "%s" has taken no more for %s.'
                               else 'The broker of transport "%s" has been down for %s.' end,
                  t.transport_name, symphony._duration(now - r.since)),
           r.since, format('A relay says: %s.', rtrim(r.last_error, '.')),
           'symphony-pg transport list'
    from symphony.transport as t
    cross join lateral symphony._relays(t.transport_name, _broker_incidents.now) as r
    where symphony._is_broker(t.transport_type) and t.enabled and r.state in ('down', 'full');
end;
$$;

comment on function symphony._broker_incidents is
$$Brokers that do not take what relays have for them.

Arguments  now
Access     private$$;
