create or replace function symphony._refuse_queue(queue_name text)
returns void
language plpgsql
stable
as $$
declare
    v_known text := (
        select string_agg(known.queue_name, ', ' order by known.queue_name)
        from (select queue.queue_name from symphony.queue order by 1 limit 20) as known);
begin
    raise exception 'queue "%" does not exist', coalesce(_refuse_queue.queue_name, '(null)')
        using errcode = 'SY001',
              detail  = format('There are these: %s.', coalesce(v_known, '(none)')),
              hint    = format('Create it: select symphony.create_queue(%L);',
                               coalesce(_refuse_queue.queue_name, 'name'));
end;
$$;

comment on function symphony._refuse_queue(text) is
$$Say that the queue does not exist, which ones do, and how to make it.

Arguments  queue_name - the one that was asked for
Raises     SY001 unknown_queue - always
Access     private$$;

revoke execute on function symphony._refuse_queue(text) from public;
