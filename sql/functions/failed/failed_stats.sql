create or replace function symphony.failed_stats(
    inout queue_name   text default null,
    inout message_type text default null,
    inout error_class  text default null,
    since  timestamptz default null,
    until  timestamptz default null,
    search text default null,
    at_most integer default 10000,
    out messages bigint, out oldest_at timestamptz, out newest_at timestamptz,
    out example_id bigint, out example_error text, out at_least text[]
)
returns setof record
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
/*
 * A look costs about the same whatever there is: it reads at_most messages in all, the newest of each
 * lane, and at least ten of each.
 */
#variable_conflict use_column
declare
    v_lanes integer[];
    v_most  bigint;
begin
    perform symphony._check_failed_filter(failed_stats.queue_name, at_most);
    v_lanes := array(
        select lane.lane_id from symphony.lane
        where lane.queue_name = coalesce(failed_stats.queue_name, lane.queue_name)
          and (lane.is_used or exists (select from symphony.lane_use)));
    v_most := greatest(10, at_most / greatest(cardinality(v_lanes), 1));
    return query
    with found as materialized (
        select l.queue_name, f.*
        from unnest(v_lanes) as wanted (lane_id)
        join symphony.lane as l on l.lane_id = wanted.lane_id
        cross join lateral (
            select newest.message_type, newest.error_class, newest.failed_at, newest.message_id,
                   row_number() over (order by newest.failed_at desc, newest.message_id desc) as place
            from symphony._newest_failed(
                l.lane_id, failed_stats.message_type, failed_stats.error_class,
                coalesce(failed_stats.since, '-infinity'), coalesce(failed_stats.until, 'infinity'),
                9223372036854775807, failed_stats.search, v_most) as newest
        ) as f
    )
    select g.queue_name, g.message_type, g.error_class, g.messages, g.oldest_at, g.newest_at,
           g.example_id,
           (select e.last_error from symphony.failed_message as e where e.message_id = g.example_id),
           case when exists (select from found as cut
                             where cut.queue_name = g.queue_name and cut.place = v_most)
                then '{messages}' else '{}' end::text[]
    from (
        select f.queue_name, f.message_type, f.error_class, count(*) as messages,
               min(f.failed_at) as oldest_at, max(f.failed_at) as newest_at,
               max(f.message_id) as example_id
        from found as f
        group by f.queue_name, f.message_type, f.error_class
    ) as g
    order by g.messages desc, g.queue_name, g.message_type, g.error_class;
end;
$$;

comment on function symphony.failed_stats is
$$The failed messages in groups: by queue, type and class of error; the largest first.

Arguments  queue_name, message_type, error_class, since, until, search - as for failed_messages()
           at_most - how many messages to read, 1 to 1,000,000: the newest of each priority of each
               queue, evenly, and at least 10 of each
Returns    a row for each group
           queue_name - the queue of the group
           message_type - its type
           error_class - its class of error
           messages - how many they are
           oldest_at - when the oldest of them failed, of those that were read
           newest_at - when the newest of them failed
           example_id - the newest of them, by id
           example_error - its error
           at_least - {messages}: not all of the queue were read, so there may be more in this
               group, and other groups
Raises     SY001 unknown_queue
           22023 invalid_parameter_value
Access     operator, observer$$;
