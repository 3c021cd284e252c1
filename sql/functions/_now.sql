create or replace function symphony._now()
returns timestamptz
language sql
volatile
as $$ select pg_catalog.clock_timestamp() $$;

comment on function symphony._now is
$$The time, in one place: tests replace it inside a transaction they roll back.

Returns    the wall clock, moving on within a transaction
Access     private$$;
