create or replace function symphony._take_turn(turn_name text, wait boolean)
returns boolean
language plpgsql
volatile
as $$
/*
 * After a crash the row is not there, nor the first time that a worker sleeps.  Whoever
 * makes it has the turn, and others wait for that one.  A standby has no unlogged tables; there the
 * id of a transaction, which a lock needs anyway, is refused as any write is.
 */
begin
    perform pg_current_xact_id();
    loop
        if wait then
            perform from symphony.turn where turn.turn_name = _take_turn.turn_name for update;
        else
            perform from symphony.turn where turn.turn_name = _take_turn.turn_name for update skip locked;
        end if;
        if found or not wait and exists (
            select from symphony.turn where turn.turn_name = _take_turn.turn_name)
        then
            return found;
        end if;
        insert into symphony.turn (turn_name) values (_take_turn.turn_name)
        on conflict on constraint turn_pkey do nothing;
    end loop;
end;
$$;

comment on function symphony._take_turn is
$$Take the lock of what one session does at a time, until the end of the transaction.

Arguments  turn_name - tick, schedules, routes, or sleep:0 to sleep:31
           wait - false: give up at once when another session holds it
Returns    whether the lock is held
Writes     symphony.turn, where the row is not there yet
Access     private$$;
