create or replace function symphony.failed_stats(
    inout queue_name   text default null,
    inout message_type text default null,
    inout error_class  text default null,
    since  timestamptz default null,
    until  timestamptz default null,
    search text default null,
    out messages bigint, out oldest_at timestamptz, out newest_at timestamptz,
    out example_id bigint, out example_error text
)
returns setof record
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
    perform symphony._check_failed_filter(failed_stats.queue_name, 1);
    return query
    select g.queue_name, g.message_type, g.error_class, g.messages, g.oldest_at, g.newest_at,
           g.example_id, e.last_error
    from (
        select l.queue_name, f.message_type, f.error_class, count(*) as messages,
               min(f.failed_at) as oldest_at, max(f.failed_at) as newest_at,
               max(f.message_id) as example_id
        from symphony.lane as l
        join symphony.failed_message as f on f.lane_id = l.lane_id
        where l.queue_name = coalesce(failed_stats.queue_name, l.queue_name)
          and f.failed_at >= coalesce(failed_stats.since, '-infinity')
          and f.failed_at <= coalesce(failed_stats.until, 'infinity')
          and symphony._failed_matches(f, failed_stats.message_type, failed_stats.error_class,
                                       failed_stats.search)
        group by l.queue_name, f.message_type, f.error_class
    ) as g
    join symphony.failed_message as e on e.message_id = g.example_id
    order by g.messages desc, g.queue_name, g.message_type, g.error_class;
end;
$$;

comment on function
    symphony.failed_stats(text, text, text, timestamptz, timestamptz, text) is
$$The failed messages in groups: by queue, type and class of error; the largest first.

Arguments  queue_name - as for failed_messages()
           message_type - as for failed_messages()
           error_class - as for failed_messages()
           since - as for failed_messages()
           until - as for failed_messages()
           search - as for failed_messages()
Returns    a row for each group
           queue_name - the queue of the group
           message_type - its type
           error_class - its class of error
           messages - how many they are
           oldest_at - when the oldest of them failed
           newest_at - when the newest of them failed
           example_id - the newest of them, by id
           example_error - its error
Raises     SY001 unknown_queue
Access     operator, observer$$;

revoke execute on function
    symphony.failed_stats(text, text, text, timestamptz, timestamptz, text) from public;
