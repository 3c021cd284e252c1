create or replace function symphony._failed_count(
    queue_name   text,
    message_type text,
    error_class  text,
    since        timestamptz,
    until        timestamptz,
    search       text,
    up_to_id     bigint
)
returns bigint
language plpgsql
stable
as $$
/*
 * failed_stats() reads so many and no more; a dry run has to say how many there are.
 */
begin
    return count(*)
    from symphony.failed_message as f
    join symphony.lane on lane.lane_id = f.lane_id
    where lane.queue_name = coalesce(_failed_count.queue_name, lane.queue_name)
      and f.failed_at >= coalesce(_failed_count.since, '-infinity')
      and f.failed_at <= coalesce(_failed_count.until, 'infinity')
      and f.message_id <= coalesce(up_to_id, 9223372036854775807)
      and symphony._failed_matches(f, _failed_count.message_type, _failed_count.error_class,
                                   _failed_count.search);
end;
$$;

comment on function symphony._failed_count is
$$How many failed messages a filter means, all of them.

Arguments  as for retry_failed()
Access     private$$;
