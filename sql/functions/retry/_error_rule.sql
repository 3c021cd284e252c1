create or replace function symphony._error_rule(message_type text, classes text[])
returns table (kind text, wait interval)
language sql
stable
as $$
    /* What one worker does not know another one may: the last level is obeyed unless a policy says
       otherwise. */
    select found.kind,
           coalesce(policy.retry_after_errors operator(pg_catalog.->>) spelled.name,
                    policy.snooze_errors operator(pg_catalog.->>) spelled.name)::interval
    from (
        select 1 as level, type.permanent_errors, type.transient_errors, type.retry_after_errors,
               type.snooze_errors
        from symphony._retry_policy(_error_rule.message_type) as type
        union all
        select 2, base.permanent_errors, base.transient_errors, base.retry_after_errors, base.snooze_errors
        from symphony.retry_policy as base where base.pattern operator(pg_catalog.=) '*'
        union all
        select 3, '{}', '{}', '{}',
               '{"UnknownMessageType": "1 minute", "UnknownHandler": "1 minute", "NewerVersion": "1 minute"}'
    ) as policy
    cross join pg_catalog.unnest(_error_rule.classes) with ordinality as class (name, distance)
    cross join lateral (values (1, class.name), (2, pg_catalog.split_part(class.name, '.', -1)))
        as spelled (rank, name)
    cross join lateral (select case
        when spelled.name operator(pg_catalog.=) any (policy.permanent_errors) then 'permanent'
        when spelled.name operator(pg_catalog.=) any (policy.transient_errors) then 'transient'
        when policy.retry_after_errors operator(pg_catalog.?) spelled.name then 'retry after'
        when policy.snooze_errors operator(pg_catalog.?) spelled.name then 'snooze' end) as found (kind)
    where found.kind is not null
    order by policy.level, class.distance, spelled.rank
    limit 1
$$;

comment on function symphony._error_rule is
$$What becomes of an error. The policy of the type goes before *, then the class of the error before
those it derives from, then its full name before the part after the last dot. Unless a policy names
them, UnknownMessageType, UnknownHandler and NewerVersion are snoozed for a minute.

Arguments  message_type
           classes - the class of the error, then those it derives from, nearest first
Returns    a row, unless nothing names any of the classes
           kind - permanent, transient, retry after or snooze
           wait - of the last two
Access     private$$;
