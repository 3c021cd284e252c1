create or replace function symphony._next_due_at(from_time timestamptz)
returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select delayed_message.available_at
        from symphony.delayed_message
        where delayed_message.available_at > from_time
        order by delayed_message.available_at
        limit 1
    );
end;
$$;

comment on function symphony._next_due_at(timestamptz) is
$$When the next delayed message is due.

Arguments  from_time - what was due before has been dealt with
Access     private$$;

revoke execute on function symphony._next_due_at(timestamptz) from public;
