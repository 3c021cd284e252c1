create or replace function symphony._actor()
returns text
language sql
stable
as $$
    select nullif(pg_catalog.left(pg_catalog.current_setting('symphony.actor', true), 200), '')
$$;

comment on function symphony._actor is
$$Who says to be calling: the setting symphony.actor. A claim, not a proof; see _caller() for that.

Access     private$$;
