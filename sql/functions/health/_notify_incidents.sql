create or replace function symphony._notify_incidents()
returns setof symphony.incident
language plpgsql
stable
as $$
/*
 * PostgreSQL does not say who listens.  A session that listens, in any database, keeps the queue so as long
 * as its transaction is open, so the oldest transaction is told.
 */
declare
    v_usage  double precision := pg_notification_queue_usage();
    v_oldest record;
begin
    if v_usage < (symphony._thresholds()).notify then
        return;
    end if;
    select s.* into v_oldest
    from (select a.pid from pg_stat_activity as a
          where a.backend_type = 'client backend' and a.pid <> pg_backend_pid()
            and (a.xact_start is not null or a.state is null)
          order by a.xact_start nulls last
          limit 1) as open
    cross join lateral symphony._session(open.pid) as s;
    return next row(
        case when v_usage < 0.5 then 'warning' else 'critical' end, 'notify_queue', null,
        format('The NOTIFY queue is full to %s %%: %s.', round(v_usage * 100),
               case when v_usage < 0.5 then 'from 50 % on workers poll'
                    else 'workers poll' end),
        v_oldest.since,
        coalesce('Held by ' || v_oldest.who || '.',
                 'Who it is cannot be seen; the log of the server names it.'),
        coalesce(v_oldest.command, 'select pid, xact_start, query from pg_stat_activity order by xact_start;')
    )::symphony.incident;
end;
$$;

comment on function symphony._notify_incidents is
$$Whether the NOTIFY queue of the server fills up, and which session is likely to be behind it.

Access     private$$;
