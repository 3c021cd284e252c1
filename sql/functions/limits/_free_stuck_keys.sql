create or replace function symphony._free_stuck_keys(at_most integer)
returns void
language plpgsql
volatile
as $$
/*
 * Nothing should be stuck: what a claim lets go stays at the gate until it was looked at.  But whoever looks
 * once a minute need not be sure of that.  To free a key once too often does no harm.
 */
begin
    insert into symphony.freed_key (queue_name, group_key)
    select stuck.queue_name, stuck.group_key
    from symphony._stuck_keys(at_most) as stuck;
    if found then
        perform symphony._wake_for_freed_keys();
    end if;
end;
$$;

comment on function symphony._free_stuck_keys is
$$Let keys go of which something is parked, though nobody has them.

Arguments  at_most - how many keys are looked at
Writes     symphony.freed_key; NOTIFY then, if a worker sleeps
Access     private$$;
