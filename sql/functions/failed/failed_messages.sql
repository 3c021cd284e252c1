create or replace function symphony.failed_messages(
    inout queue_name   text default null,
    inout message_type text default null,
    inout error_class  text default null,
    since     timestamptz default null,
    until     timestamptz default null,
    search    text default null,
    before_at timestamptz default null,
    before_id bigint default null,
    at_most   integer default 50,
    out message_id bigint, out priority integer, out reason text, out attempt integer,
    out replays integer, out failed_at timestamptz, out last_error text, out worker text,
    out enqueued_at timestamptz, out group_key text, out body jsonb, out headers jsonb
)
returns setof record
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set enable_bitmapscan = off
as $$
#variable_conflict use_column
declare
    v_last_id bigint := 9223372036854775807;
begin
    perform symphony._check_failed_filter(failed_messages.queue_name, at_most);
    return query
    select l.queue_name, f.message_type, f.error_class, f.message_id, l.priority::integer, f.reason,
           f.attempt::integer,
           (select count(*)::integer from symphony.replay as r where r.message_id = f.message_id),
           f.failed_at, f.last_error, f.worker, f.enqueued_at, f.group_key, f.body, f.headers
    from symphony.lane as l
    cross join lateral symphony._newest_failed(
        l.lane_id, failed_messages.message_type, failed_messages.error_class,
        coalesce(failed_messages.since, '-infinity'), least(failed_messages.until, before_at, 'infinity'),
        case when before_at <= coalesce(failed_messages.until, 'infinity')
             then coalesce(before_id, v_last_id) else v_last_id end,
        failed_messages.search, failed_messages.at_most) as f
    where l.queue_name = coalesce(failed_messages.queue_name, l.queue_name)
      and (l.is_used or exists (select from symphony.lane_use))
    order by f.failed_at desc, f.message_id desc
    limit failed_messages.at_most;
end;
$$;

comment on function symphony.failed_messages is
$$The failed messages, newest first, a page at a time.

Arguments  queue_name - only those of this queue; null, here and below: whatever it is
           message_type - only those of this type
           error_class - only those with this class of error; '': those without one
           since - only those that failed then or later
           until - only those that failed then or earlier
           search - only those with this text in the error or the body, in any case
           before_at - failed_at of the last row of the page before
           before_id - message_id of the last row of the page before
           at_most - rows, 1 to 1,000,000
Returns    a row for each message
           queue_name - its queue
           message_type - its type
           error_class - class of the last error, as the worker named it
           message_id - the message
           priority - 0 to 9
           reason - exhausted, permanent, lease ended or expired: see failed_message
           attempt - deliveries since it was enqueued or last replayed
           replays - how often retry_failed() brought it back
           failed_at - when it was given up
           last_error - why the last attempt did not succeed
           worker - who had it last
           enqueued_at - when enqueue() was called
           group_key - what it belongs to
           body - the payload
           headers - the metadata
Raises     SY001 unknown_queue
           22023 invalid_parameter_value
Access     operator, observer$$;
