create or replace function symphony._done_by(action text, arguments jsonb)
returns text
language sql
stable
as $$
    select pg_catalog.concat(' by ', a.role_name, ' (' operator(pg_catalog.||) a.actor
                             operator(pg_catalog.||) ')')
    from symphony.audit as a
    where a.action operator(pg_catalog.=) _done_by.action
      and a.arguments operator(pg_catalog.@>) _done_by.arguments
    order by a.audit_id desc
    limit 1
$$;

comment on function symphony._done_by(text, jsonb) is
$$Who did something last, for a sentence: " by ops (ada@web1)".

Arguments  action - the name of the function
           arguments - some of those that it was called with
Returns    null if that is not in the audit any more
Access     private$$;

revoke execute on function symphony._done_by(text, jsonb) from public;
