create or replace function symphony.purge_preview(
    queue_name text, out messages bigint, out at_least boolean, out seen text
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
    c_most constant integer := 10000;
begin
    perform symphony._check_queues(array[purge_preview.queue_name]);
    select coalesce(sum(depth.pending), 0) + waiting.messages,
           not coalesce(bool_and(depth.is_exact), true) or waiting.messages = c_most,
           pg_current_snapshot()::text
    into messages, at_least, seen
    from (select count(*) as messages
          from (select from symphony.parked
                where parked.queue_name = purge_preview.queue_name limit c_most) as parked
         ) as waiting
    left join symphony.lane on lane.queue_name = purge_preview.queue_name
    left join lateral symphony._depth(lane.lane_id, c_most) as depth on true
    group by waiting.messages;
end;
$$;

comment on function symphony.purge_preview is
$$What purge_queue() would drop now.

Arguments  queue_name - the queue
Returns    one row
           messages - how many are pending, or wait for their key
           at_least - there may be more
           seen - for purge_queue(), which then drops nothing that came later
Raises     SY001 unknown_queue
Access     operator, observer$$;
