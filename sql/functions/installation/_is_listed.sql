create or replace function symphony._is_listed(accesses text[], queue_name text)
returns boolean
language plpgsql
stable
as $$
/*
 * Who has the owner's role passes: the current user here is the owner.  A role that is not on the list
 * has the functions from somewhere else, and the mark from here: it waits for restore_access().  So does
 * every role while the tables are those of another server, where its number was another role's.
 */
declare
    v_caller name := symphony._caller();
begin
    return pg_has_role(v_caller, current_user, 'usage')
        or exists (
            select from symphony.access as a
            where a.access = any (accesses)
              and (a.queues is null or _is_listed.queue_name = any (a.queues))
              and pg_has_role(v_caller, a.role_oid, 'usage')
              and exists (select from symphony._home()));
end;
$$;

comment on function symphony._is_listed is
$$Whether the caller, who is limited to some queues, may use this one. It may if one of its roles was
granted one of these accesses for the queue, or for all.

Arguments  accesses - those that include the function which asks
           queue_name - null: any queue
Access     private$$;
