create or replace function symphony.origin()
returns text
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$ select release.origin::text from symphony.release order by release.release_id limit 1 $$;

comment on function symphony.origin is
$$What tells messages of this database from those of others at a broker: ids begin at 1 in each. A
copy of the database has the same one.

Returns    drawn when Symphony was installed
Access     producer, consumer, operator, observer$$;
