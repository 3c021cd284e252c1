create or replace function symphony._worker_incidents(now timestamptz)
returns setof symphony.incident
language plpgsql
stable
as $$
begin
    return query
    select 'warning', 'worker_silent', a.worker,
           format('Worker "%s" has been silent for %s%s.', a.worker, symphony._duration(now - a.seen_at),
                  case when a.processing > 0
                       then format(', with messages in hand: %s', a.processing) end),
           a.seen_at,
           format('%s hangs, was killed, or is cut off.',
                  coalesce(format('Process %s on %s', a.details ->> 'pid', a.details ->> 'host'), 'It')),
           format('select symphony.stop_worker(%L);', a.worker)
    from symphony.worker_activity() as a
    where a.state = 'silent'
    order by a.seen_at
    limit 10;
end;
$$;

comment on function symphony._worker_incidents(timestamptz) is
$$Workers that have said nothing for long.

Arguments  now
Access     private$$;

revoke execute on function symphony._worker_incidents(timestamptz) from public;
