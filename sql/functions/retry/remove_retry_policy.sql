create or replace function symphony.remove_retry_policy(
    pattern    text default null,
    queue_name text default null
)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if (pattern is null) = (remove_retry_policy.queue_name is null) then
        raise exception 'a retry policy is removed from a pattern or from a queue'
            using errcode = '22023',
                  detail  = 'Both were given, or neither.',
                  hint    = 'Write remove_retry_policy(''SendEmail'') or (queue_name => ''mail'').';
    elsif remove_retry_policy.queue_name is not null then
        update symphony.queue as q
        set max_attempts = null, retry_delay = null, retry_multiplier = null, retry_max_delay = null,
            retry_jitter = null
        where q.queue_name = remove_retry_policy.queue_name;
        if not found then
            perform symphony._refuse_queue(remove_retry_policy.queue_name);
        end if;
        perform symphony._audit('remove_retry_policy', jsonb_build_object('queue_name', queue_name));
        return true;
    elsif pattern = '*' then
        perform symphony.set_retry_policy('*');
        return true;
    end if;
    delete from symphony.retry_policy as p where p.pattern = remove_retry_policy.pattern;
    if not found then
        return false;
    end if;
    perform symphony._audit('remove_retry_policy', jsonb_build_object('pattern', pattern));
    return true;
end;
$$;

comment on function symphony.remove_retry_policy is
$$Let the next level say how messages are retried.

Arguments  pattern - as for set_retry_policy(); of * the values come back that it had at first
           queue_name - the queue whose settings of retries go; give this or pattern
Returns    true, or false if there was no such policy
Raises     SY001 unknown_queue
           22023 invalid_parameter_value
Writes     symphony.retry_policy, or symphony.queue, symphony.audit
Access     operator$$;
