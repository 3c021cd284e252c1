create or replace function symphony._refuse_replace()
returns void
language plpgsql
stable
as $$
begin
    raise exception 'a message with several deliveries cannot be replaced'
        using errcode = '22023',
              detail  = 'Its type has several transports or handlers, each with a message of its own.',
              hint    = 'Leave on_duplicate out, or name a queue whose handler dispatches to the others.';
end;
$$;

comment on function symphony._refuse_replace is
$$Refuse on_duplicate => 'replace' where a message has several deliveries.

Raises     22023 invalid_parameter_value
Access     private$$;
