create or replace function symphony._turn_holder(turn_name text)
returns text
language plpgsql
stable
as $$
/*
 * Who has locked a row is told by its xmax, and who has that transaction by pg_locks.
 */
declare
    v_holder text;
begin
    if pg_is_in_recovery() then    -- a standby has no unlogged tables, and nobody takes a turn there
        return null;
    end if;
    select symphony._session_remark(l.pid) into v_holder
    from symphony.turn
    join pg_locks as l
        on l.locktype = 'transactionid' and l.transactionid = turn.xmax and l.mode = 'ExclusiveLock'
    where turn.turn_name = _turn_holder.turn_name and l.pid is distinct from pg_backend_pid();
    return v_holder;
end;
$$;

comment on function symphony._turn_holder(text) is
$$Which other session has a turn, as a sentence says it.

Arguments  turn_name - as for _take_turn()
Returns    what _session_remark() returns; null: nobody has it
Access     private$$;

revoke execute on function symphony._turn_holder(text) from public;
