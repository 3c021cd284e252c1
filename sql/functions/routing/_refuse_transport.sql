create or replace function symphony._refuse_transport(transport_name text)
returns void
language plpgsql
stable
as $$
declare
    v_known text := (
        select string_agg(t.transport_name, ', ' order by t.transport_name) from symphony.transport as t);
begin
    raise exception 'transport "%" does not exist', coalesce(_refuse_transport.transport_name, '(null)')
        using errcode = 'SY020',
              detail  = format('There are these: %s.', coalesce(v_known, '(none)')),
              hint    = format('Create it: select symphony.create_transport(%L, queue_name => ''default''); '
                               'or bring the database to what symphony.toml says: symphony-pg config apply.',
                               coalesce(_refuse_transport.transport_name, 'name'));
end;
$$;

comment on function symphony._refuse_transport is
$$Say that the transport does not exist, which ones do, and how to make it.

Arguments  transport_name - the one that was asked for
Raises     SY020 unknown_transport - always
Access     private$$;
