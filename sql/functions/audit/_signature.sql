create or replace function symphony._signature()
returns text
language sql
stable
as $$
    select pg_catalog.concat(
        symphony._caller(), ' (' operator(pg_catalog.||) symphony._actor() operator(pg_catalog.||) ')')
$$;

comment on function symphony._signature is
$$Who calls, for people: the role, and the actor if one was told: ops (ada@web1). What holds messages
keeps it, and so tells who did that when the audit has forgotten.

Access     private$$;
