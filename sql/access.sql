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
