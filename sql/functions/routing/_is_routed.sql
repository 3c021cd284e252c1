create or replace function symphony._is_routed()
returns boolean
language plpgsql
stable
as $$
begin
    return exists (select from symphony.route union all select from symphony.handler);
end;
$$;

comment on function symphony._is_routed is
$$Whether a message that names no queue may go anywhere else than straight into the queue default.

Access     private$$;
