create or replace function symphony._is_limited()
returns boolean
language sql
stable
as $$
    select symphony._has_limits()
        and pg_catalog.has_function_privilege(
            nullif(symphony._caller(), current_user), 'symphony._limited()'::regprocedure::oid, 'execute')
        is true
$$;

comment on function symphony._is_limited is
$$Whether the caller was granted access to some queues only, so that _is_listed() has to be asked.
The owner, whom all functions run as, is not. Superusers are if anybody is: _is_listed() lets them
pass.

Access     private$$;
