create or replace function symphony._type_incidents(now timestamptz)
returns setof symphony.incident
language plpgsql
stable
as $$
/* A worker that does not know a message puts it off. A thousand of those that come back first are read. */
begin
    return query
    select 'warning', 'type_unknown', off.message_type,
           format('No worker knows the messages of type %s; %s%s wait.', off.message_type, count(*),
                  case when count(*) = 1000 then ' or more' end),
           min(off.enqueued_at), format('The workers of %s put them off: %s.', min(off.queue_name),
                                          min(split_part(off.error_class, '.', -1))),
           format('symphony-pg consume %s --app MODULE:APP', min(off.queue_name))
    from (
        select d.message_type, d.enqueued_at, d.error_class, lane.queue_name
        from symphony.delayed_message as d
        join symphony.lane on lane.lane_id = d.lane_id
        order by d.available_at
        limit 1000
    ) as off
    where split_part(off.error_class, '.', -1) in ('UnknownMessageType', 'UnknownHandler')
      and off.enqueued_at < now - (symphony._thresholds()).unknown
    group by off.message_type;
end;
$$;

comment on function symphony._type_incidents is
$$Types of messages that workers put off, since none of them knows what to do with them.

Arguments  now
Access     private$$;
