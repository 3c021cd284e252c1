create or replace function symphony._retry_policy(message_type text)
returns setof symphony.retry_policy
language sql
stable
as $$
    select policy.*
    from symphony.retry_policy as policy
    where policy.pattern operator(pg_catalog.<>) '*'
      and symphony._is_match(policy.pattern, _retry_policy.message_type)
    order by policy.pattern operator(pg_catalog.=) _retry_policy.message_type desc,
             pg_catalog.length(policy.pattern) desc
    limit 1
$$;

comment on function symphony._retry_policy is
$$The retry policy of a message type: its own, or else that of the longest group it belongs to.

Arguments  message_type
Returns    a row, unless there is no such policy
Access     private$$;
