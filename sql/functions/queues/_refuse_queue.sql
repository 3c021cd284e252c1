create or replace function symphony._refuse_queue(queue_name text)
returns void
language plpgsql
stable
as $$
/*
 * It names queues to those alone who may list them.
 */
declare
    v_may_list boolean := has_function_privilege(symphony._caller(), 'symphony.list_queues()', 'execute');
    v_known    text := (
        select string_agg(known.queue_name, ', ' order by known.queue_name)
        from (select queue.queue_name from symphony.queue
              where not symphony._is_limited()
                 or symphony._is_listed('{consumer,operator,observer}', queue.queue_name)
              order by 1 limit 20) as known);
begin
    raise exception 'queue "%" does not exist', coalesce(_refuse_queue.queue_name, '(null)')
        using errcode = 'SY001',
              detail  = case when v_may_list then format('There are these: %s.', coalesce(v_known, '(none)'))
                             else 'Queues are listed to consumers, operators and observers.' end,
              hint    = format('Create it: select symphony.create_queue(%L);',
                               coalesce(_refuse_queue.queue_name, 'name'));
end;
$$;

comment on function symphony._refuse_queue is
$$Say that the queue does not exist, to some callers which ones do, and how to make it.

Arguments  queue_name - the one that was asked for
Raises     SY001 unknown_queue - always
Access     private$$;
