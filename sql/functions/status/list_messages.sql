create or replace function symphony.list_messages(
    state           text default null,
    queue_name      text default null,
    message_type    text default null,
    since           timestamptz default null,
    until           timestamptz default null,
    idempotency_key text default null,
    group_key       text default null,
    correlation_id  text default null,
    before_id       bigint default null,
    at_most         integer default 50,
    look_at         integer default 10000
)
returns table (
    message_id bigint, queue text, type text, status text, attempt integer, max_attempts integer,
    priority integer, enqueued_at timestamptz, available_at timestamptz, worker text,
    last_error text, group_of text, correlation text, more_before bigint
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
    v_keyed bigint[];
begin
    if state <> all ('{pending,waiting,delayed,processing,completed,forwarded,failed,removed}')
       or coalesce(list_messages.at_most, 0) not between 1 and 10000
       or coalesce(list_messages.look_at, 0) not between 1 and 1000000
    then
        raise exception 'there is no such list of messages'
            using errcode = '22023',
                  detail  = 'A state is pending, waiting, delayed, processing, completed, forwarded, '
                            'failed or removed; at_most is 1 to 10000, and look_at 1 to 1000000.',
                  hint    = 'Leave out what need not be another.';
    end if;
    if list_messages.queue_name is not null then
        perform symphony._check_queues(array[list_messages.queue_name]);
    end if;
    v_keyed := array(select k.message_id from symphony.idempotency_key as k
                     where k.key = list_messages.idempotency_key);
    return query
    with looked as materialized (
        select * from symphony._newest_messages(state, before_id, look_at)
    ), found as materialized (
        select s.*
        from (    -- in order, so that no more are asked for their status than are listed
            select newest.message_id
            from looked as newest
            join symphony.lane on lane.lane_id = newest.lane_id
            where newest.may_be
              and (list_messages.queue_name is null or lane.queue_name = list_messages.queue_name)
              and (list_messages.message_type is null or newest.message_type = list_messages.message_type)
              and (since is null or newest.enqueued_at >= since)
              and (until is null or newest.enqueued_at < until)
              and (list_messages.idempotency_key is null or newest.message_id = any (v_keyed))
              and (list_messages.group_key is null or newest.group_key = list_messages.group_key)
              and (list_messages.correlation_id is null
                   or list_messages.correlation_id
                      in (newest.headers ->> 'correlation_id', newest.message_id::text))
            order by newest.message_id desc
        ) as seen
        cross join lateral symphony._message_status(seen.message_id) as s
        where state is null or s.status = state
        limit at_most
    )
    select f.message_id, f.queue_name, f.message_type, f.status, f.attempt, f.max_attempts, f.priority,
           f.enqueued_at, f.available_at, f.worker, f.last_error, f.group_key,
           f.headers ->> 'correlation_id', null::bigint
    from found as f
    union all
    select null, null, null, null, null, null, null, null, null, null, null, null, null,
           min(looked.message_id)
    from looked
    having count(*) = look_at and (select count(*) from found) < at_most
    order by 1 desc nulls last;
end;
$$;

comment on function symphony.list_messages is
$$List messages, newest first, without their bodies. One call looks at a certain number of messages,
however many there are.

Arguments  state - pending, waiting, delayed, processing, completed, forwarded, failed or removed
           queue_name - in this queue
           message_type - of this type
           since, until - enqueued then; until itself is later
           idempotency_key - the one that has this key, in any queue
           group_key - with this one
           correlation_id - with this one in the headers, or as their id
           before_id - only those older than this one: the last message_id of a full page, or
               more_before
           at_most - 1 to 10,000 messages are listed
           look_at - 1 to 1,000,000 messages are looked at
Returns    a row for each
           message_id - the message
           queue - its queue
           type - its type
           status - where it is, as message_status() says
           attempt - counts deliveries
           max_attempts - deliveries before it fails for good
           priority - 0 to 9
           enqueued_at - when enqueue() was called
           available_at - when it is or became due, if it was delayed or retried
           worker - who has it or had it
           last_error - why the last attempt did not succeed
           group_of - its group_key
           correlation - the correlation_id of its headers
           more_before - only in a last row, which has nothing else: the look ended here and there
               may be more
Raises     SY001 unknown_queue
           22023 invalid_parameter_value
Access     operator, observer$$;
