create or replace function symphony._replay(
    message_ids bigint[],
    body        jsonb,
    per_second  double precision
)
returns void
language plpgsql
volatile
as $$
/*
 * A message that took its worker down goes on alone; any other goes back to the lane of its
 * priority.  Somebody wants it to run, so it does not expire any more.
 */
declare
    v_now   timestamptz := symphony._now();
    v_lanes integer[];
begin
    with gone as (
        delete from symphony.failed_message as f
        where f.message_id = any (_replay.message_ids)
        returning f.*
    ), back as (
        select gone.message_id, gone.enqueued_at, gone.message_type, gone.headers, gone.group_key,
               gone.last_error, gone.error_class, gone.retry, gone.body as old_body,
               coalesce(_replay.body, gone.body) as body,
               v_now + (row_number() over (order by gone.failed_at, gone.message_id) - 1)
                       / per_second * interval '1 second' as due_at,
               case when gone.reason = 'lease ended'
                    then symphony._lane_alone(lane.queue_name, lane.priority)
                    else (select l.lane_id from symphony.lane as l
                          where l.queue_name = lane.queue_name and l.priority = lane.priority
                            and not l.alone)
               end as lane_id
        from gone
        join symphony.lane on lane.lane_id = gone.lane_id
    ), noted as (
        insert into symphony.replay (message_id, replayed_at, old_body)
        select back.message_id, v_now, case when _replay.body is not null then back.old_body end
        from back
    ), later as (
        insert into symphony.delayed_message (
            message_id, available_at, wait, enqueued_at, lane_id, message_type, body, headers, group_key,
            last_error, error_class, retry)
        select back.message_id, back.due_at, back.due_at - v_now, back.enqueued_at, back.lane_id,
               back.message_type, back.body, back.headers, back.group_key, back.last_error, back.error_class,
               back.retry
        from back
        where per_second is not null
    ), now as (
        insert into symphony.message (
            message_id, enqueued_at, lane_id, message_type, body, headers, group_key, available_at,
            last_error, retry)
        select back.message_id, back.enqueued_at, back.lane_id, back.message_type, back.body,
               back.headers, back.group_key, v_now, back.last_error, back.retry
        from back
        where per_second is null
    )
    select array_agg(distinct back.lane_id) into v_lanes from back;
    perform symphony._wake_workers(v_lanes);
end;
$$;

comment on function symphony._replay is
$$Bring failed messages back, with all their attempts before them.

Arguments  message_ids - locked
           body - null: as it is
           per_second - null: at once
Writes     symphony.failed_message, symphony.message or symphony.delayed_message, symphony.replay;
           NOTIFY if a worker sleeps
Access     private$$;
