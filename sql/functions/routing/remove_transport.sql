create or replace function symphony.remove_transport(transport_name text)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_patterns   text;
    v_queue_name text;
begin
    perform symphony._take_turn('routes', wait => true);
    select string_agg(distinct route.pattern, ', ') into v_patterns
    from symphony.route
    where route.transport_name = remove_transport.transport_name;
    if v_patterns is not null then
        raise exception 'routes lead to transport "%"', remove_transport.transport_name
            using errcode = '55000',
                  detail  = format('They are those of %s.', v_patterns),
                  hint    = 'Lead them elsewhere first: symphony.set_routes().';
    end if;
    delete from symphony.transport as t
    where t.transport_name = remove_transport.transport_name
    returning t.queue_name into v_queue_name;
    if not found then
        return false;
    end if;
    perform symphony._audit('remove_transport', jsonb_build_object('transport_name', transport_name));
    perform symphony._hold_lanes(v_queue_name);
    return true;
end;
$$;

comment on function symphony.remove_transport is
$$Remove a transport that no route leads to. Its messages stay in their queue, and are held no more.

Arguments  transport_name - the transport
Returns    true, or false if there was no such transport
Raises     SY011 wrong_isolation_level
           55000 object_not_in_prerequisite_state - routes lead to the transport
Writes     symphony.transport, symphony.lane, symphony.audit; NOTIFY if a worker of the queue sleeps
Access     operator$$;
