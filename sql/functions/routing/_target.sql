create or replace function symphony._target(
    message_type   text,
    out is_simple  boolean,
    out is_direct  boolean,
    out queue_name text,
    out priority   integer
)
language plpgsql
stable
as $$
begin
    select count(*) = 1 and count(d.handler_name) = 0, bool_or(d.direct), min(d.queue_name), min(d.priority)
    into is_simple, is_direct, queue_name, priority
    from symphony._deliveries(message_type) as d
    where d.transport_type <> 'sync';
end;
$$;

comment on function symphony._target is
$$The one queue that a message of a type goes to, if it goes to one only.

Arguments  message_type
Returns    is_simple - true: there is one delivery, to no handler in particular; false: _fan_out()
               is to be called
           is_direct - true: a part of it at least is not to be stored, unless _refuse_direct()
               lets it pass
           queue_name - where it goes
           priority - of the transport; null: any
Access     private$$;
