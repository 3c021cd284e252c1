create or replace function symphony._caller()
returns name
language sql
stable
as $$
    select case when pg_catalog.current_setting('role') operator(pg_catalog.=) 'none' then session_user
                else pg_catalog.current_setting('role')::name end
$$;

comment on function symphony._caller() is
$$Who calls: the role that was taken by SET ROLE, or else the one that logged in. All public functions
are security definer, so current_user is the owner of Symphony in them; and so is the owner of a
function of the host's that calls them. This one goes through all of these to the caller.

Access     private$$;

revoke execute on function symphony._caller() from public;
