create or replace function symphony._lock_lane(lane_id integer, wait boolean)
returns boolean
language sql
volatile
as $$
    /* 1398361424 is "SYMP" in ASCII: our corner of the advisory locks.  No lane is number 0. */
    select case
        when wait then pg_catalog.pg_advisory_xact_lock_shared(1398361424, 0) is not null
                       and pg_catalog.pg_advisory_xact_lock(1398361424, lane_id) is not null
        else pg_catalog.pg_try_advisory_xact_lock_shared(1398361424, 0)
             and pg_catalog.pg_try_advisory_xact_lock(1398361424, lane_id)
    end
$$;

comment on function symphony._lock_lane is
$$Take a lane's lock until the end of the transaction: only its holder may move the position. It comes
with a share of the lock of all lanes, which rebase() takes for itself.

Arguments  lane_id
           wait - false: give up at once when another session holds it
Returns    whether the lock is held
Access     private$$;
