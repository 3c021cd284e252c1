create or replace function symphony._check_sender(message_type text, queue_name text)
returns void
language plpgsql
stable
as $$
/*
 * Where a type is routed to is not told to whom may not go there.
 */
declare
    c_accesses constant text[] := '{enqueuer,producer}';
begin
    if queue_name is not null then
        perform symphony._check_use(c_accesses, array[queue_name]);
    elsif exists (
        select from symphony._deliveries(message_type) as d
        where d.transport_type <> 'sync' and not symphony._is_listed(c_accesses, d.queue_name))
    then
        raise exception 'permission denied for messages of type "%"', coalesce(message_type, '(null)')
            using errcode = '42501',
                  detail  = format('They are routed to a queue that the role "%s" may not use.',
                                   symphony._caller()),
                  hint    = 'Name a queue that it may use, or ask the owner of the schema: select '
                            'symphony.grant_access(role_name, access, queues).';
    end if;
end;
$$;

comment on function symphony._check_sender is
$$Refuse a caller who is limited to some queues and enqueues into another one.

Arguments  message_type
           queue_name - null: where the routes of the type lead
Raises     42501 insufficient_privilege
Access     private$$;
