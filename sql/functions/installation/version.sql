create or replace function symphony.version()
returns text
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$ select release.version from symphony.release order by release.release_id desc limit 1 $$;

comment on function symphony.version is
$$The version of Symphony that is installed here.

Returns    the version, such as 0.1.0
Access     producer, consumer, operator, observer$$;
