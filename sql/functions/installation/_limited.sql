create or replace function symphony._limited()
returns void
language sql
immutable
as $$ select $$;

comment on function symphony._limited is
$$A mark: a role that may execute this was granted access to some queues only. The mark goes where
other grants go: to members of the role, along when it is renamed, away with it, and into a dump.

Access     private$$;
