create or replace function symphony._is_match(pattern text, message_type text)
returns boolean
language sql
immutable
as $$
    select pattern operator(pg_catalog.=) message_type
        or pattern operator(pg_catalog.=) '*'
        or pg_catalog.right(pattern, 2) operator(pg_catalog.=) '.*'
           and pg_catalog.starts_with(message_type, pg_catalog.left(pattern, -1))
$$;

comment on function symphony._is_match is
$$Whether a pattern stands for a message type. Of several the type itself wins, then the longest.

Arguments  pattern - a message type, a group such as orders.*, or *
           message_type
Access     private$$;
