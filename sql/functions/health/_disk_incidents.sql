create or replace function symphony._disk_incidents()
returns setof symphony.incident
language plpgsql
stable
as $$
/*
 * How much of the log a queue has is told by a sample of some 100 pages, unless all have a retention.
 */
declare
    v_most  record := symphony._thresholds();
    v_bytes bigint;
    v_share real;
begin
    if not exists (select from symphony.queue as q where q.retention >= v_most.kept) then
        return;
    end if;
    v_bytes := pg_total_relation_size('symphony.message');
    v_share := least(100, 100.0 * 100 * 8192 / greatest(pg_relation_size('symphony.message'), 1));
    return query
    select 'warning', 'retention_off', q.queue_name,
           format('Queue "%s" keeps all its history: about %s.', q.queue_name, pg_size_pretty(found.bytes)),
           null::timestamptz,
           format('Its retention is %s.', q.retention),
           format('select symphony.configure_queue(%L, retention => ''30 days'');', q.queue_name)
    from (
        select lane.queue_name, (v_bytes * sum(part.bytes) / sum(sum(part.bytes)) over ())::bigint as bytes
        from (
            select m.lane_id, sum(100 + pg_column_size(m.body) + pg_column_size(m.headers)) as bytes
            from symphony.message as m tablesample system (v_share)
            group by m.lane_id
        ) as part
        join symphony.lane on lane.lane_id = part.lane_id
        group by lane.queue_name
    ) as found
    join symphony.queue as q on q.queue_name = found.queue_name
    where q.retention >= v_most.kept and found.bytes >= v_most.disk_bytes;
end;
$$;

comment on function symphony._disk_incidents is
$$Queues that never forget, and what that takes.

Access     private$$;
