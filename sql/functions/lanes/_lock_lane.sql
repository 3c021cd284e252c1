create or replace function symphony._lock_lane(lane_id integer)
returns void
language sql
volatile
as $$
    /* 1398361424 is "SYMP" in ASCII: our corner of the advisory locks.  No lane is number 0. */
    select pg_catalog.pg_advisory_xact_lock_shared(1398361424, 0),
           pg_catalog.pg_advisory_xact_lock(1398361424, lane_id)
$$;

comment on function symphony._lock_lane is
$$Take a lane's lock until the end of the transaction: only its holder may move the position. It comes
with a share of the lock of all lanes, which rebase() takes for itself. It waits for a session that
holds it; claim_batch() asks for the same two without waiting.

Arguments  lane_id
Access     private$$;
