create or replace function symphony._home()
returns setof symphony.server_mark
language sql
stable
as $$
    /* Ids wrap at 2^32; that of the subtransaction is greater than its parent's, by less than half. */
    select child.*
    from symphony.server_mark as child
    join symphony.server_mark as parent
        on (child.xmin::text::bigint operator(pg_catalog.-) parent.xmin::text::bigint
            operator(pg_catalog.+) 4294967295) operator(pg_catalog.%) 4294967296
           operator(pg_catalog.<) 2147483647
    where child.mark_id operator(pg_catalog.=) 1
      and parent.mark_id operator(pg_catalog.=) 2
$$;

comment on function symphony._home is
$$Whether the positions are of this server.

Returns    one row if they are. Without a row the tables were copied here, row by row, and rebase()
           is needed
Access     private$$;
