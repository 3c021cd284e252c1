create or replace function symphony._is_limited()
returns boolean
language sql
stable
as $$
    select symphony._has_limits()
        and pg_catalog.has_function_privilege(
            symphony._caller(), 'symphony._limited()'::regprocedure::oid, 'execute')
$$;

comment on function symphony._is_limited() is
$$Whether the caller was granted access to some queues only, so that _is_listed() has to be asked.
Superusers and the owner are, too, if anybody is: _is_listed() lets them pass.

Access     private$$;

revoke execute on function symphony._is_limited() from public;
