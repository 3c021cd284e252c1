create or replace function symphony.queue_settings(queue_name text)
returns table (setting text, value text, origin text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform symphony._check_queues(array[queue_settings.queue_name]);
    return query
    select own.key, coalesce(own.value, policy.value),
           case when own.value is not null then 'queue' when policy.value is not null then 'retry policy *'
                end
    from symphony.queue as q
    cross join lateral jsonb_each_text(
        to_jsonb(q) - '{queue_name,paused_at,paused_by,created_at}'::text[]
    ) as own (key, value)
    join pg_attribute as a on a.attrelid = 'symphony.queue'::regclass and a.attname = own.key
    left join lateral (
        select jsonb_each_text.value
        from symphony.retry_policy as p, jsonb_each_text(to_jsonb(p))
        where p.pattern = '*' and jsonb_each_text.key = regexp_replace(own.key, '^retry_', '')
          and own.key ~ '^(retry_|max_attempts$)'
    ) as policy on true
    where q.queue_name = queue_settings.queue_name
    order by a.attnum;
end;
$$;

comment on function symphony.queue_settings is
$$The settings of a queue, and where each comes from.

Arguments  queue_name - the queue
Returns    a row for each, as create_queue() names them
           setting - its name
           value - what counts; null: no limit
           origin - queue, or retry policy *: that counts where the queue says nothing. The policy
               of a message type comes before both, see retry_policy_of()
Raises     SY001 unknown_queue
Access     operator, observer$$;
