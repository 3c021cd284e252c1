create or replace function symphony.enable_transport(transport_name text)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return symphony._set_enabled(enable_transport.transport_name, true);
end;
$$;

comment on function symphony.enable_transport is
$$Hand out the messages of a disabled transport again.

Arguments  transport_name - the transport
Returns    true, or false if it was enabled already
Raises     SY011 wrong_isolation_level
           SY020 unknown_transport
Writes     symphony.transport, symphony.lane, symphony.audit; NOTIFY if a worker of the queue sleeps
Access     operator$$;
