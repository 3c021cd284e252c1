create or replace function symphony._note_routes()
returns void
language plpgsql
volatile
as $$
begin
    perform symphony._check_isolation();
    perform symphony._take_turn('routes', wait => true);
    update symphony.lane
    set is_unrouted = not lane.is_unrouted
    where lane.queue_name = 'default' and not lane.alone and lane.is_unrouted = symphony._is_routed();
end;
$$;

comment on function symphony._note_routes is
$$Note in the lanes of the queue default whether there are any routes or handlers.

Raises     SY011 wrong_isolation_level - an old snapshot does not see what others changed before
Writes     symphony.lane, if that is news
Access     private$$;
