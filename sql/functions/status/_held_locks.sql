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
        select l.pid, l.locktype, l.mode, l.classid, l.objid, l.transactionid, l.virtualtransaction
        from pg_locks as l
        where l.granted and l.pid is distinct from pg_backend_pid()
          and (l.locktype = 'transactionid' and l.mode = 'ExclusiveLock'
               or l.locktype = 'advisory' and l.classid in (1398361424, 1398361425) and l.objsubid = 2
                  and l.database = (select d.oid from pg_database as d where d.datname = current_database()))
    ), held as (
        select turn.turn_name, null::integer as lane_id, null as queue_name, l.pid, l.virtualtransaction
        from symphony._turns() as turn
        join locked as l on l.locktype = 'transactionid' and l.transactionid = turn.taken_by
        union all
        select null, lane.lane_id, lane.queue_name, l.pid, l.virtualtransaction
        from symphony.lane
        join locked as l
            on l.classid = 1398361424 and (l.objid = lane.lane_id::oid
                                           or l.objid = 0 and l.mode = 'ExclusiveLock')    -- all lanes
        union all
        select null, null, queue.queue_name, l.pid, l.virtualtransaction
        from symphony.queue
        join locked as l    -- hashtext() may be less than 0, and an oid is not
            on l.classid = 1398361425 and l.objid::bigint = hashtext(queue.queue_name) & 4294967295
        where exists (select from symphony.lane where lane.queue_name = queue.queue_name and lane.is_gated)
    )
    select held.turn_name, held.lane_id, held.queue_name, lane.priority, s.who, s.since, s.command
    from held
    left join symphony.lane on lane.lane_id = held.lane_id
    cross join lateral symphony._session(held.pid, held.virtualtransaction) as s
    where s.who is not null    -- else it has just ended
    order by held.turn_name, held.queue_name, lane.priority desc nulls first;
end;
$$;

comment on function symphony._held_locks is
$$Which turns, lanes and gates other sessions have locked now.

Returns    a row for each
           turn_name - as for _take_turn(); null: it is a lane or a gate
           lane_id, priority - of the lane; null: it is a gate
           queue_name - of the lane or gate
           who, since, command - as _session() says
Access     private$$;
