create or replace function symphony.retry_policy_of(
    message_type text,
    queue_name   text default null,
    retry        jsonb default null
)
returns table (setting text, value text, level text, source text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_queue symphony.queue;
    v_type  symphony.retry_policy;
    v_base  symphony.retry_policy;
begin
    perform symphony._check_retry(retry);
    select * into v_queue
    from symphony.queue as q
    where q.queue_name = coalesce(
        retry_policy_of.queue_name,
        (select d.queue_name from symphony._deliveries(message_type) as d
         where d.queue_name is not null order by d.delivery limit 1), 'default');
    if not found then
        perform symphony._refuse_queue(coalesce(retry_policy_of.queue_name, 'default'));
    end if;
    select * into v_type from symphony._retry_policy(message_type);
    select * into v_base from symphony.retry_policy as p where p.pattern = '*';
    return query
    select v.setting, coalesce(v.call, v.type, v.queue, v.base),
           case when v.call is not null then 'call' when v.type is not null then 'type'
                when v.queue is not null then 'queue' else 'default' end,
           case when v.call is not null then null when v.type is not null then v_type.pattern
                when v.queue is not null then v_queue.queue_name else '*' end
    from (values
        ('max_attempts', retry ->> 'max_attempts', v_type.max_attempts::text,
         v_queue.max_attempts::text, v_base.max_attempts::text),
        ('delay', (retry ->> 'delay')::interval::text, v_type.delay::text, v_queue.retry_delay::text,
         v_base.delay::text),
        ('multiplier', retry ->> 'multiplier', v_type.multiplier::text, v_queue.retry_multiplier::text,
         v_base.multiplier::text),
        ('max_delay', (retry ->> 'max_delay')::interval::text, v_type.max_delay::text,
         v_queue.retry_max_delay::text, v_base.max_delay::text),
        ('jitter', retry ->> 'jitter', v_type.jitter::text, v_queue.retry_jitter::text,
         v_base.jitter::text),
        ('permanent_errors', null, nullif(v_type.permanent_errors, '{}')::text, null,
         v_base.permanent_errors::text),
        ('transient_errors', null, nullif(v_type.transient_errors, '{}')::text, null,
         v_base.transient_errors::text),
        ('retry_after_errors', null, nullif(v_type.retry_after_errors, '{}')::text, null,
         v_base.retry_after_errors::text),
        ('snooze_errors', null, nullif(v_type.snooze_errors, '{}')::text, null,
         v_base.snooze_errors::text)
    ) as v (setting, call, type, queue, base);
end;
$$;

comment on function symphony.retry_policy_of is
$$Say how a message is retried, and which level says so.

Arguments  message_type - the type
           queue_name - the queue; null: the one it is routed to
           retry - as for enqueue()
Returns    a row for each setting. Where the lists of the type do not name a class of errors, those
               of * count
           setting - its name
           value - what it is
           level - call, type, queue or default: the first of them that has the setting wins
           source - the pattern or the queue
Raises     SY001 unknown_queue
           22023 invalid_parameter_value
Access     operator, observer$$;
