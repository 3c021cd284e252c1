create or replace function symphony._worker_incidents(now timestamptz)
returns setof symphony.incident
language plpgsql
stable
as $$
begin
    return query
    select 'warning', 'worker_silent', w.worker,
           format('Worker "%s" has been silent for %s%s.', w.worker, symphony._duration(now - w.seen_at),
                  case when s.processing > 0
                       then format(', with messages in hand: %s', s.processing) end),
           w.seen_at,
           format('%s hangs, was killed, or is cut off.',
                  coalesce('Process ' || (w.details ->> 'pid') || ' on ' || (w.details ->> 'host'), 'It')),
           format('select symphony.stop_worker(%L);', w.worker)
    from symphony._worker_states(now) as s
    join symphony.worker as w on w.worker = s.worker
    where s.state = 'silent'
    order by w.seen_at
    limit 10;
end;
$$;

comment on function symphony._worker_incidents is
$$Workers that have said nothing for long.

Arguments  now
Access     private$$;
