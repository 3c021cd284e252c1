create or replace function symphony._note_routes()
returns void
language plpgsql
volatile
as $$
/*
 * 1398361429: "SYMP" and five.  One transaction after the other sees what was before it; in
 * repeatable read it does not, and then the update, which is never left out, says so.
 */
begin
    perform pg_advisory_xact_lock(1398361429, 0);
    update symphony.lane
    set is_unrouted = not symphony._is_routed()
    where lane.queue_name = 'default' and not lane.alone;
end;
$$;

comment on function symphony._note_routes() is
$$Note in the lanes of the queue default whether there are any routes or handlers.

Raises     40001 - in repeatable read, if they were changed meanwhile
Writes     symphony.lane
Access     private$$;

revoke execute on function symphony._note_routes() from public;
