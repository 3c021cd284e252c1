create or replace function symphony._has_routes()
returns boolean
language sql
stable
as $$
    select exists (select from symphony.route) or exists (select from symphony.handler)
$$;

comment on function symphony._has_routes() is
$$Whether a message without a queue may go anywhere else than once into "default".

Access     private$$;

revoke execute on function symphony._has_routes() from public;
