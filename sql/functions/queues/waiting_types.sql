create or replace function symphony.waiting_types(queues text[] default null)
returns table (message_type text, handler_name text, messages bigint)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set enable_bitmapscan = off
as $$
/*
 * It looks at a thousand messages that are pending and a thousand that are delayed, however many
 * there are: those that come first, and as many of each lane.
 */
#variable_conflict use_column
declare
    c_most   constant integer := 1000;
    v_lanes  integer[];
    v_filled integer[];
begin
    if symphony._is_limited() then
        perform symphony._check_use('{consumer,operator,observer}', waiting_types.queues);
    end if;
    if waiting_types.queues is not null then
        perform symphony._check_queues(waiting_types.queues);
    end if;
    v_lanes := array(
        select lane.lane_id from symphony.lane
        where lane.queue_name = any (waiting_types.queues)
           or waiting_types.queues is null and (
               not symphony._is_limited()
               or symphony._is_listed('{consumer,operator,observer}', lane.queue_name)));
    v_filled := array(
        select lane.lane_id from symphony.lane
        where lane.lane_id = any (v_lanes)
          and (lane.is_used or exists (select from symphony.lane_use))
          and exists (select from symphony._pending(lane.lane_id, 1)));
    return query
    select waiting.message_type, waiting.headers ->> 'handler', count(*)
    from (
        (select pending.message_type, pending.headers
         from unnest(v_filled) as lane_id
         cross join lateral symphony._pending(
             lane_id, greatest(1, c_most / nullif(cardinality(v_filled), 0))) as pending
         limit c_most)
        union all
        select later.message_type, later.headers
        from (select d.lane_id, d.message_type, d.headers
              from symphony.delayed_message as d
              order by d.available_at
              limit c_most) as later
        where later.lane_id = any (v_lanes)
    ) as waiting
    group by 1, 2
    order by 3 desc, 1, 2;
end;
$$;

comment on function symphony.waiting_types is
$$Which message types wait in queues, so that a worker can say at its start what it has no handler
for. It looks at the first 1000 pending and the first 1000 delayed messages only.

Arguments  queues - null: all that the role may use
Returns    a row for each type and handler
           message_type - selects the handlers
           handler_name - the one handler that the message is for; null: the first
           messages - how many of those that were looked at
Raises     SY001 unknown_queue
           22023 invalid_parameter_value - queues is empty
           42501 insufficient_privilege - the role may use other queues only
Access     consumer, operator, observer$$;
