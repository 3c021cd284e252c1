create or replace function symphony._turns()
returns table (turn_name text, taken_by xid)
language plpgsql
stable
as $$
begin
    if pg_is_in_recovery() then    -- a standby has no unlogged tables, and nobody takes a turn there
        return;
    end if;
    return query
    select turn.turn_name, turn.xmax from symphony.turn;
end;
$$;

comment on function symphony._turns is
$$The turns.

Returns    turn_name - as for _take_turn()
           taken_by - the transaction that took it last, and has it if it is not over
Access     private$$;
