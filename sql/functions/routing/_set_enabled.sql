create or replace function symphony._set_enabled(transport_name text, enabled boolean)
returns boolean
language plpgsql
volatile
as $$
declare
    v_transport symphony.transport;
begin
    perform symphony._take_turn('routes', wait => true);
    select * into v_transport
    from symphony.transport as t
    where t.transport_name = _set_enabled.transport_name
    for no key update;
    if not found then
        perform symphony._refuse_transport(_set_enabled.transport_name);
    elsif v_transport.transport_type = 'sync' and not enabled then
        raise exception 'the sync transport "%" cannot hold messages', v_transport.transport_name
            using errcode = '55000',
                  detail  = 'Its messages are worked on at once, and stored nowhere.',
                  hint    = 'Route their types to a postgres transport: symphony.set_routes().';
    elsif v_transport.enabled = _set_enabled.enabled then
        return false;
    end if;
    update symphony.transport as t
    set enabled = _set_enabled.enabled, updated_at = symphony._now(),
        disabled_at = case when not _set_enabled.enabled then symphony._now() end,
        disabled_by = case when not _set_enabled.enabled then symphony._signature() end
    where t.transport_name = _set_enabled.transport_name;
    perform symphony._audit(case when enabled then 'enable_transport' else 'disable_transport' end,
                            jsonb_build_object('transport_name', transport_name));
    perform symphony._hold_lanes(v_transport.queue_name);
    return true;
end;
$$;

comment on function symphony._set_enabled is
$$Enable or disable a transport.

Arguments  transport_name
           enabled
Returns    whether that changed anything
Raises     SY011 wrong_isolation_level
           SY020 unknown_transport
           55000 object_not_in_prerequisite_state - a sync transport cannot hold messages
Writes     symphony.transport, symphony.lane
Access     private$$;
