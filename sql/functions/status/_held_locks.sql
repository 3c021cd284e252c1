create or replace function symphony._held_locks()
returns table (
    turn_name text, lane_id integer, queue_name text, priority smallint, who text, since timestamptz,
    command text
)
language plpgsql
stable
as $$
/*
 * Who has locked the row of a turn is told by its xmax, and who has that transaction by pg_locks, which
 * is read once.  A standby has no unlogged tables, and nobody takes a turn there.
 */
#variable_conflict use_column
begin
    return query
    with locked as materialized (
        select l.pid, l.locktype, l.mode, l.objid, l.transactionid, l.virtualtransaction
        from pg_locks as l
        where l.granted and l.pid is distinct from pg_backend_pid()
          and (l.locktype = 'transactionid' and l.mode = 'ExclusiveLock'
               or l.locktype = 'advisory' and l.classid = 1398361424 and l.objsubid = 2
                  and l.database = (select d.oid from pg_database as d where d.datname = current_database()))
    ), held as (
        select turn.turn_name, null::integer as lane_id, l.pid, l.virtualtransaction
        from symphony._turns() as turn
        join locked as l on l.locktype = 'transactionid' and l.transactionid = turn.taken_by
        union all
        select null, lane.lane_id, l.pid, l.virtualtransaction
        from symphony.lane
        join locked as l
            on l.locktype = 'advisory' and (l.objid = lane.lane_id::oid
                                            or l.objid = 0 and l.mode = 'ExclusiveLock')    -- all lanes
    )
    select held.turn_name, held.lane_id, lane.queue_name, lane.priority, s.who, s.since, s.command
    from held
    left join symphony.lane on lane.lane_id = held.lane_id
    cross join lateral symphony._session(held.pid, held.virtualtransaction) as s
    where s.who is not null    -- else it has just ended
    order by held.turn_name, lane.queue_name, lane.priority desc;
end;
$$;

comment on function symphony._held_locks() is
$$Which turns and lanes other sessions have locked now.

Returns    a row for each
           turn_name - as for _take_turn(); null: it is a lane
           lane_id, queue_name, priority - of the lane
           who, since, command - as _session() says
Access     private$$;

revoke execute on function symphony._held_locks() from public;
