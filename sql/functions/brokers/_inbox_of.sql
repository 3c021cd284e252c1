create or replace function symphony._inbox_of(transport_name text)
returns symphony.transport
language plpgsql
stable
as $$
declare
    v_transport symphony.transport;
begin
    select * into v_transport
    from symphony.transport as t
    where t.transport_name = _inbox_of.transport_name;
    if not found then
        perform symphony._refuse_transport(_inbox_of.transport_name);
    elsif not symphony._is_broker(v_transport.transport_type) then
        raise exception 'transport "%" leads to no broker', v_transport.transport_name
            using errcode = '55000',
                  detail  = format('It is of type %s.', v_transport.transport_type),
                  hint    = 'Settle what claim_batch() handed out with ack() or nack_with_backoff().';
    end if;
    return v_transport;
end;
$$;

comment on function symphony._inbox_of(text) is
$$The transport that a delivery came by.

Arguments  transport_name
Returns    its row
Raises     SY020 unknown_transport
           55000 object_not_in_prerequisite_state - it leads to no broker
Access     private$$;

revoke execute on function symphony._inbox_of(text) from public;
