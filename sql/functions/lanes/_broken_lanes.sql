create or replace function symphony._broken_lanes()
returns table (invariant text, detail text)
language plpgsql
stable
as $$
begin
    return query
    select 'a lane has a position', format('lane %s', l.lane_id)
    from symphony.lane as l
    where not exists (select from symphony.claim as c where c.lane_id = l.lane_id)
       or not exists (select from symphony.purge_position as p where p.lane_id = l.lane_id)
       or not exists (select from symphony.tally as t where t.lane_id = l.lane_id);

    return query
    select 'a position is of this server', 'all were copied here: select symphony.rebase()'
    where not exists (select from symphony._home());

    return query
    select 'a position is of this server', format(
        'lane %s is at transaction %s, the server at %s', l.lane_id,
        p.begins, pg_snapshot_xmax(pg_current_snapshot()))
    from symphony.lane as l
    cross join lateral (
        select max(lower(part)) as begins
        from symphony._position(l.lane_id) as at, unnest(at.ahead) as part
        where upper_inf(part)
    ) as p
    where p.begins > pg_snapshot_xmax(pg_current_snapshot())::text::bigint;

    return query
    select 'a lane takes what its queue takes', format('lane %s', l.lane_id)
    from symphony.lane as l
    join symphony.queue as q on q.queue_name = l.queue_name
    where l.max_body_bytes <> case when q.ordered and l.priority <> 5 then 0 else q.max_body_bytes end;

    return query
    select 'a lane knows whether messages of it expire',
           format('message %s of lane %s', m.message_id, m.lane_id)
    from (
        select d.message_id, d.lane_id from symphony.delayed_message as d where d.expires_at is not null
        union all
        select l.message_id, l.lane_id from symphony.message as l where l.expires_at is not null
    ) as m
    where not exists (select from symphony._lane_settings(m.lane_id) as settings where settings.expires);
    return query
    select 'what has expired is in no hands', format('message %s of claim %s', m.message_id, c.claim_id)
    from symphony.claim as c
    join symphony.message as m on m.message_id = any (c.open_ids)
    where m.expires_at <= c.claimed_at;
    return query
    select 'a lane knows whether there are routes', format('lane %s', l.lane_id)
    from symphony.lane as l
    where l.is_unrouted <> (l.queue_name = 'default' and not l.alone and not symphony._is_routed());
end;
$$;

comment on function symphony._broken_lanes is
$$The invariants of lanes, and of what expires in them, for check().

Access     private$$;
