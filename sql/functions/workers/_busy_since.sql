create or replace function symphony._busy_since(details jsonb, seen_at timestamptz)
returns timestamptz
language sql
stable
as $$
    select case when pg_catalog.jsonb_typeof(details operator(pg_catalog.->) 'busy')
                     operator(pg_catalog.=) 'number'
                then seen_at operator(pg_catalog.-) (
                    least((details operator(pg_catalog.->) 'busy')::double precision, 1e9::double precision)
                    operator(pg_catalog.*) interval '1 second') end
$$;

comment on function symphony._busy_since is
$$Since when a worker has had no slot free.

Arguments  details, seen_at - of the worker
Returns    null: it has, or does not tell
Access     private$$;
