create or replace function symphony._seen_incidents()
returns setof symphony.incident
language plpgsql
stable
as $$
begin
    return query
    select 'note', 'sessions_hidden', current_user::text,
           format('What other sessions do may not be seen: %s of them.', count(*)), null::timestamptz,
           format('Role %s owns Symphony, and may see its own sessions only.', current_user),
           format('grant pg_read_all_stats to %I;', current_user)
    from pg_stat_activity as a
    where a.backend_type is null and a.datid is not null
    having count(*) > 0;
end;
$$;

comment on function symphony._seen_incidents is
$$Whether sessions are hidden from the owner of Symphony, so that health() tells less.

Access     private$$;
