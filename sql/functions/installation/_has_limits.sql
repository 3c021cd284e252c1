create or replace function symphony._has_limits()
returns boolean
language sql
stable
as $$ select true $$;

comment on function symphony._has_limits is
$$Whether any role was granted access to some queues only. _note_limits() replaces this function by
one that says false where that is not so. The planner takes it for the constant that it is, so
without such a grant no function looks anything up.

Access     private$$;
