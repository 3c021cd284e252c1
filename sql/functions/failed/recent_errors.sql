create or replace function symphony.recent_errors(
    since        timestamptz default null,
    inout queue_name   text default null,
    inout message_type text default null,
    inout error_class  text default null,
    at_most      integer default 10000,
    out attempts      bigint,
    out retried       bigint,
    out failed        bigint,
    out newest_at     timestamptz,
    out next_at       timestamptz,
    out example_id    bigint,
    out example_error text,
    out at_least      text[]
)
returns setof record
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
    perform symphony._check_number(
        'at_most', at_most, 1000000, 'It is the number of attempts to read, the newest first.',
        'Leave it out for 10000.');
    if recent_errors.queue_name is not null then
        perform symphony._check_queues(array[recent_errors.queue_name]);
    end if;
    return query
    with newest as materialized (
        select a.message_id, a.attempt_id, a.ended_at, a.outcome, a.error_class, a.error
        from symphony.attempt as a
        where a.ended_at >= coalesce(since, symphony._now() - interval '10 minutes')
        order by a.ended_at desc
        limit at_most
    ), placed as (
        select newest.*, lane.queue_name, coalesce(l.message_type, d.message_type, f.message_type) as type,
               d.available_at
        from newest
        left join symphony.message as l on l.message_id = newest.message_id
        left join symphony.delayed_message as d on d.message_id = newest.message_id
        left join symphony.failed_message as f on f.message_id = newest.message_id
        join symphony.lane on lane.lane_id = coalesce(l.lane_id, d.lane_id, f.lane_id)
    )
    select placed.queue_name, placed.type, placed.error_class, count(*),
           count(*) filter (where placed.outcome = 'retry'),
           count(*) filter (where placed.outcome = 'failed'),
           max(placed.ended_at), min(placed.available_at),
           (array_agg(placed.message_id order by placed.attempt_id desc))[1],
           (array_agg(placed.error order by placed.attempt_id desc))[1],
           case when (select count(*) from newest) = at_most then '{attempts,retried,failed}'::text[]
                else '{}' end
    from placed
    where (recent_errors.queue_name is null or placed.queue_name = recent_errors.queue_name)
      and (recent_errors.message_type is null or placed.type = recent_errors.message_type)
      and (recent_errors.error_class is null or placed.error_class = recent_errors.error_class)
    group by placed.queue_name, placed.type, placed.error_class
    order by count(*) desc, 1, 2, 3;
end;
$$;

comment on function symphony.recent_errors is
$$Count the attempts that failed lately, by queue, type and class of error: what is being retried now,
and why. failed_stats() counts what was given up.

Arguments  since - attempts that ended since then; null: the last 10 minutes
           queue_name - of this queue
           message_type - of this type
           error_class - with this class of error
           at_most - 1 to 1,000,000 attempts that are read, the newest first
Returns    a row for each group, the largest first
           queue_name - the queue
           message_type - the type
           error_class - the class of the error
           attempts - how many attempts failed
           retried - how many of them led to a retry
           failed - how many were the last one
           newest_at - when the newest one ended
           next_at - when the next of these messages is due again
           example_id - the message of the newest one
           example_error - its error
           at_least - the figures that may be greater, since only the newest attempts were read
Raises     SY001 unknown_queue
           22023 invalid_parameter_value
Access     operator, observer$$;
