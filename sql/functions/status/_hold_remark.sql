create or replace function symphony._hold_remark(lane_id integer)
returns text
language sql
stable
as $$
    select pg_catalog.format(
        'It is held, since transport "%s" has been disabled since %s by %s: '
        'select symphony.enable_transport(%L);',
        transport.transport_name, transport.disabled_at, transport.disabled_by,
        transport.transport_name)
    from symphony.lane
    join symphony.transport on transport.queue_name operator(pg_catalog.=) lane.queue_name
    where lane.lane_id operator(pg_catalog.=) _hold_remark.lane_id
      and not transport.enabled
    order by coalesce(transport.priority, 5) operator(pg_catalog.=) lane.priority desc,
             transport.transport_name
    limit 1
$$;

comment on function symphony._hold_remark is
$$Why a lane is held, as a sentence.

Arguments  lane_id
Access     private$$;
