create or replace function symphony.sync_handlers(message_type text, handler_names text[])
returns setof text
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if message_type is null or cardinality(array_remove(handler_names, null)) is null
        or exists (select from unnest(handler_names) as name
                   where name is null or length(name) not between 1 and 200)
    then
        raise exception 'message_type and handler_names must be names'
            using errcode = '22023',
                  detail  = 'Nothing was declared. A name has 1 to 200 characters.',
                  hint    = 'Write sync_handlers(''SendEmail'', ''{send,audit}'').';
    end if;
    if exists (select unnest(handler_names)
               except
               select h.handler_name from symphony.handler as h
               where h.message_type = sync_handlers.message_type)
    then
        if symphony._is_limited() and not symphony._is_listed('{consumer,operator}', null) then
            raise exception 'permission denied to declare handlers of "%"', message_type
                using errcode = '42501',
                      detail  = 'Some are new, so messages would go another way, and the role may use '
                                'some queues only.',
                      hint    = 'Let a role declare them that may use all: symphony-pg db upgrade --app.';
        end if;
        perform symphony._take_turn('routes', wait => true);
    end if;
    return query
    insert into symphony.handler (message_type, handler_name)
    select sync_handlers.message_type, given.name
    from (select u.name, min(u.number) as number
          from unnest(handler_names) with ordinality as u (name, number)
          group by u.name) as given
    where not exists (select from symphony.handler as h
                      where h.message_type = sync_handlers.message_type and h.handler_name = given.name)
    order by given.number
    on conflict on constraint handler_key do nothing
    returning handler.handler_name;
    if found then
        perform symphony._audit('sync_handlers', jsonb_build_object(
            'message_type', message_type, 'handler_names', handler_names));
        perform symphony._note_routes();
    end if;
end;
$$;

comment on function symphony.sync_handlers is
$$Declare that several handlers work on a message type: from now on each gets a delivery of its own.

Arguments  message_type - the type
           handler_names - in the order of their deliveries; those declared before stay
Returns    the names that were new
Raises     SY011 wrong_isolation_level - if there are new names
           22023 invalid_parameter_value
           42501 insufficient_privilege - there are new names, and the role may use some queues only
Writes     symphony.handler, symphony.lane, symphony.audit
Access     consumer, operator$$;
