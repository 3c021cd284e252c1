create or replace function symphony.disable_transport(transport_name text)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return symphony._set_enabled(disable_transport.transport_name, false);
end;
$$;

comment on function symphony.disable_transport is
$$Hold the messages of a transport: it takes them still, but hands out none. What is being processed
goes on. What shares its queue and priority is held too, and if the queue has no transport that is
enabled, all of the queue.

Arguments  transport_name - the transport
Returns    true, or false if it was disabled already
Raises     SY011 wrong_isolation_level
           SY020 unknown_transport
           55000 object_not_in_prerequisite_state - a sync transport cannot hold messages
Writes     symphony.transport, symphony.lane, symphony.audit
Access     operator$$;
