create or replace function symphony._caller()
returns name
language sql
stable
as $$
    select coalesce(nullif(pg_catalog.current_setting('role'), 'none')::name, session_user)
$$;

comment on function symphony._caller is
$$Who calls: the role that was taken by SET ROLE, or else the one that logged in. All public functions
are security definer, so current_user is the owner of Symphony in them; and so is the owner of a
function of the host's that calls them. This one goes through all of these to the caller.

Access     private$$;
