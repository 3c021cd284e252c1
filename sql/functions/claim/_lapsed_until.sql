create or replace function symphony._lapsed_until(now timestamptz)
returns timestamptz
language plpgsql
stable
as $$
/*
 * Everybody ticks once a second.  If nobody has for five, the server was away, or the network, and
 * whoever holds a lease could not renew it: the leases that were live at the last tick stand still.
 * Nothing was taken back since, so it is safe to go on.
 */
begin
    return coalesce(
        (select last.ticked_at
         from (select tick.ticked_at from symphony.tick order by tick.tick_id desc limit 1) as last
         where last.ticked_at < now - interval '5 seconds'),
        now);
end;
$$;

comment on function symphony._lapsed_until is
$$Until when leases must have ended to be over now: nearly always until now.

Arguments  now
Returns    now; or, when nobody has ticked for 5 seconds, the time of the last tick
Access     private$$;
