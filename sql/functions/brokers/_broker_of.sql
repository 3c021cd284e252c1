create or replace function symphony._broker_of(lane_id integer)
returns text
language sql
stable
as $$
    select transport.transport_name
    from symphony.lane
    join symphony.transport on transport.queue_name operator(pg_catalog.=) lane.queue_name
    where lane.lane_id operator(pg_catalog.=) _broker_of.lane_id
      and symphony._is_broker(transport.transport_type)
$$;

comment on function symphony._broker_of(integer) is
$$The transport that forwards the messages of a lane to a broker.

Arguments  lane_id
Returns    its name; null: the lane is that of an ordinary queue
Access     private$$;

revoke execute on function symphony._broker_of(integer) from public;
