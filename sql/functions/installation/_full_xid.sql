create or replace function symphony._full_xid(xid xid, near bigint)
returns bigint
language sql
immutable
as $$
    select near operator(pg_catalog.-) 2147483648 operator(pg_catalog.+)
        (xid::text::bigint operator(pg_catalog.-) near operator(pg_catalog.%) 4294967296
         operator(pg_catalog.+) 6442450944) operator(pg_catalog.%) 4294967296
$$;

comment on function symphony._full_xid is
$$The transaction id in 64 bits whose lower 32 these are.

Arguments  xid - such as the xmin of a row
           near - an id less than 2^31 away from it
Access     private$$;
