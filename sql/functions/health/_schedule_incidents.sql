create or replace function symphony._schedule_incidents(now timestamptz)
returns setof symphony.incident
language plpgsql
stable
as $$
begin
    return query
    select case when s.state = 'paused' then 'note' else 'warning' end,
           'schedule_' || case when s.state = 'on' then 'late' else s.state end, s.schedule_name,
           format(case s.state
                      when 'broken' then 'Schedule "%s" is broken, and has not run for %s.'
                      when 'paused' then 'Schedule "%s" has been paused for %s.'
                      else 'Schedule "%s" is late by %s.' end,
                  s.schedule_name, symphony._duration(now - told.since)),
           told.since,
           case s.state
               when 'broken' then s.last_error
               when 'paused' then format('It was paused by %s.', s.paused_by)
               else coalesce('Held by ' || holder.who || '.', 'Nothing ticks.') end,
           case when s.state <> 'on' then format('select symphony.resume_schedule(%L);', s.schedule_name)
                else coalesce(holder.command, 'select symphony.tick();') end
    from symphony.schedule as s
    cross join lateral (
        select case s.state when 'on' then s.next_run_at when 'paused' then s.paused_at
                            else s.updated_at end as since
    ) as told
    left join lateral (
        select session.who, session.command
        from pg_locks as l
        cross join lateral symphony._session(l.pid, l.virtualtransaction) as session
        where s.state = 'on' and l.locktype = 'transactionid' and l.mode = 'ExclusiveLock'
          and l.transactionid = (select same.xmax from symphony.schedule as same
                                 where same.schedule_name = s.schedule_name)
    ) as holder on true
    where s.state in ('broken', 'paused')
       or s.state = 'on' and s.next_run_at < now - (symphony._thresholds()).late;
end;
$$;

comment on function symphony._schedule_incidents is
$$Schedules that are broken, paused or late.

Arguments  now
Access     private$$;
