/*
 * Nobody may execute a function whom it was not granted to, and PostgreSQL grants each new one to all.
 */
revoke execute on all routines in schema symphony from public;


/*
 * What was granted is granted again, since there may be new functions: to those roles that are the
 * ones it was granted to.  Others wait for _restore_access().
 */
do $$
begin
    perform symphony._apply_access(granted.role_oid)
    from (select distinct a.role_oid
          from symphony.access as a
          join pg_roles as r on r.oid = a.role_oid and r.rolname = a.role_name
          where exists (select from symphony._home())) as granted;
    perform symphony._note_limits();
end;
$$;
