create or replace function symphony._mark_server()
returns void
language plpgsql
volatile
as $$
/*
 * The block with an exception handler is there for its subtransaction.
 */
begin
    delete from symphony.server_mark;
    begin
        insert into symphony.server_mark (mark_id) values (1);
    exception
        when others then raise;
    end;
    insert into symphony.server_mark (mark_id) values (2);
end;
$$;

comment on function symphony._mark_server is
$$Note that the positions are of this server.

Writes     symphony.server_mark
Access     private$$;
