create or replace function symphony.remove_handler(message_type text, handler_name text)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform symphony._take_turn('routes', wait => true);
    delete from symphony.handler as h
    where h.message_type = remove_handler.message_type and h.handler_name = remove_handler.handler_name;
    if not found then
        return false;
    end if;
    perform symphony._audit('remove_handler', jsonb_build_object(
        'message_type', message_type, 'handler_name', handler_name));
    perform symphony._note_routes();
    return true;
end;
$$;

comment on function symphony.remove_handler is
$$Make no more deliveries for a handler that is gone. Those it has stay.

Arguments  message_type - the type
           handler_name - the handler
Returns    true, or false if it was not declared
Raises     SY011 wrong_isolation_level
Writes     symphony.handler, symphony.lane, symphony.audit
Access     operator$$;
