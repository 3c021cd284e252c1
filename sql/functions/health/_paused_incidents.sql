create or replace function symphony._paused_incidents(now timestamptz)
returns setof symphony.incident
language plpgsql
stable
as $$
begin
    return query
    select case when w.since is null then 'note' else 'warning' end, 'queue_paused', q.queue_name,
           format('Queue %s has been paused for %s%s.', q.queue_name, symphony._duration(now - q.paused_at),
                  case when w.since is not null then ', and messages wait' end),
           q.paused_at,
           format('It was paused%s.', symphony._done_by(
               'pause_queue', jsonb_build_object('queue_name', q.queue_name))),
           format('select symphony.resume_queue(%L);', q.queue_name)
    from symphony.queue as q
    left join symphony._waiting() as w on w.queue_name = q.queue_name
    where q.paused_at is not null;
end;
$$;

comment on function symphony._paused_incidents(timestamptz) is
$$Queues that are paused.

Arguments  now
Access     private$$;

revoke execute on function symphony._paused_incidents(timestamptz) from public;
