create or replace function symphony._lock_gate(queue_name text, wait boolean)
returns boolean
language sql
volatile
as $$
    /* 1398361425 lies beside the lanes; see _lock_lane().  Two queues whose hashes meet share a gate. */
    select case
        when wait then
            pg_catalog.pg_advisory_xact_lock(1398361425, pg_catalog.hashtext(queue_name)) is not null
        else pg_catalog.pg_try_advisory_xact_lock(1398361425, pg_catalog.hashtext(queue_name))
    end
$$;

comment on function symphony._lock_gate is
$$Take the gate of a queue until the end of the transaction: only its holder may claim from a lane of
it. Whoever takes it has one of these lanes already.

Arguments  queue_name
           wait - false: give up at once when another session holds it
Returns    whether the lock is held
Access     private$$;
