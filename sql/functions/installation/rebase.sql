create or replace function symphony.rebase(
    out needed        boolean,
    out moved_by      bigint,
    out messages      bigint,
    out enqueued_here bigint
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
/*
 * It has the turn of the tick and the lock of all lanes (see _lock_lane), so nobody claims, promotes,
 * recovers or purges.  Nobody has to stop enqueueing: all is ahead from the id of a transaction on
 * that is still running.
 */
begin
    perform symphony._check_isolation();
    perform symphony._take_turn('tick', wait => true);
    perform symphony._end_when_idle();
    needed := not exists (select from symphony._home());
    if needed then
        perform symphony._check_subscriptions();
        perform pg_advisory_xact_lock(1398361424, 0);
        select moved.* into moved_by, messages, enqueued_here from symphony._move_back() as moved;
        perform symphony._catch_up_sequences();
        delete from symphony.stretch;
        update symphony.tally set uncounted = '{(,)}', partial_txid = null, partial_message_id = null;
        perform symphony._take_turn(sleep.turn_name, wait => true)
        from (select 'sleep:' || slot as turn_name from generate_series(0, 31) as slot order by 1) as sleep;
        update symphony.idle_worker set since = null where idle_worker.since is not null;
        update symphony.access set role_oid = null where access.role_oid is not null;
        perform symphony._audit('rebase', jsonb_build_object('moved_by', moved_by), messages);
        perform symphony._mark_server();
    end if;
end;
$$;

comment on function symphony.rebase is
$$Make the positions those of this server, after a dump or logical replication brought the tables
here. tick() and claim_batch() do it by themselves. It is safe at any time, and does nothing twice.

Returns    needed - false: the positions are this server's, and nothing was done
           moved_by - by how much the transaction ids that came with the copy were lowered
           messages - how many had to be rewritten
           enqueued_here - how many were enqueued here before this
Raises     SY011 wrong_isolation_level
           SY012 still_replicated
Writes     symphony.message, symphony.claim, symphony.purge_position, symphony.tally,
           symphony.stretch, symphony.server_mark
Locks      the tick, all lanes and the sleeping workers until the transaction ends; enqueueing goes
               on
Access     operator$$;
