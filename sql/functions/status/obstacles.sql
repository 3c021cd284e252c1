create or replace function symphony.obstacles()
returns table (obstacle text, detail text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
/*
 * A standby has no unlogged tables, and nobody takes a turn there.  What a session does can be seen
 * by its own role, and by those who may see all statistics; of others only their name is told.
 */
declare
    v_usage double precision := pg_notification_queue_usage();
begin
    if not pg_is_in_recovery() then
        return query
        select 'one session has the turn ' || held.turn_name, format('It is %s.', held.by)
        from (select turn.turn_name, symphony._turn_holder(turn.turn_name) as by
              from symphony.turn) as held
        where held.by is not null;
    end if;

    return query
    with locked as materialized (    -- pg_locks is read once, and not for each lane
        select l.objid, l.objid = 0 and l.mode = 'ExclusiveLock' as is_of_all
        from pg_locks as l
        where l.locktype = 'advisory' and l.classid = 1398361424
    )
    select format('a lane of queue %s is locked', held.queue_name),
           format('It is the one of priority %s, held by %s.', held.priority, held.by)
    from (select lane.queue_name, lane.priority, symphony._lane_holder(lane.lane_id) as by
          from symphony.lane
          where exists (
              select from locked where locked.objid = lane.lane_id::oid or locked.is_of_all)
          offset 0) as held    -- else the holder of each lane is looked for first
    where held.by is not null
    order by held.queue_name, held.priority desc;

    if v_usage >= 0.1 then
        return query
        select 'the NOTIFY queue of the server fills up', format(
            'It is full to %s %%; from 50 %% on workers are not notified, and poll. A session that '
            'listens, in any database, keeps it so as long as its transaction is open. The oldest '
            'transaction is that of %s.', round(v_usage * 100), coalesce((
                select symphony._session_remark(a.pid)
                from pg_stat_activity as a
                where a.backend_type = 'client backend' and a.pid <> pg_backend_pid()
                  and (a.xact_start is not null or a.state is null)
                order by a.xact_start nulls last
                limit 1), 'nobody that may be seen; the log of the server names it'));
    end if;
end;
$$;

comment on function symphony.obstacles() is
$$What stands in the way of all: another session that has locked the tick or a lane, and a NOTIFY
queue that fills up.

Returns    a row for each. Without a row there is nothing. What a session does only for a moment can
           be seen, too: look again
           obstacle - what there is
           detail - who it is: the process, the role, the application, and what it does
Access     operator, observer$$;

revoke execute on function symphony.obstacles() from public;
