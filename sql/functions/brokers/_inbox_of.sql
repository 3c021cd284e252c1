create or replace function symphony._inbox_of(transport_name text)
returns symphony.transport
language plpgsql
stable
as $$
/*
 * A limited caller hears the same of a transport that there is not, after the same work.
 */
declare
    v_transport symphony.transport;
begin
    if symphony._is_limited() and not symphony._is_listed('{consumer}', (
           select max(t.queue_name) filter (where t.transport_name = _inbox_of.transport_name)
           from symphony.transport as t))
    then
        raise exception 'permission denied for transport "%"', coalesce(_inbox_of.transport_name, '(null)')
            using errcode = '42501',
                  detail  = format('The role "%s" may use some queues, and the outbox of this transport is '
                                   'not one of them.', symphony._caller()),
                  hint    = 'Ask the owner of the schema for it: select symphony.grant_access('
                            'role_name, access, queues), with all the queues that the role may use.';
    end if;
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

comment on function symphony._inbox_of is
$$The transport that a delivery came by, if the caller may consume from it.

Arguments  transport_name
Returns    its row
Raises     SY020 unknown_transport
           55000 object_not_in_prerequisite_state - it leads to no broker
           42501 insufficient_privilege - the caller may use some queues, and not its outbox
Access     private$$;
