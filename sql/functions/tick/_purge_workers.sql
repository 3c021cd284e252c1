create or replace function symphony._purge_workers(now timestamptz, at_most integer)
returns integer
language plpgsql
volatile
as $$
/*
 * Whoever purges may tick, and has many locks by now, so it waits for none: a worker whose row or whose
 * queues another session has is left to the next purge.
 */
declare
    v_worker text;
    v_queues text[];
    v_turns  boolean;
    v_gone   integer := 0;
begin
    for v_worker in
        select known.worker from symphony.worker as known
        where known.seen_at < _purge_workers.now - interval '60 seconds'
        order by known.worker
        limit at_most
        for update skip locked
    loop
        v_queues := symphony._sleeps_at(v_worker);
        select coalesce(bool_and(symphony._take_turn(slot.turn_name, wait => false)), true) into v_turns
        from (select distinct symphony._sleep_turn(q) as turn_name from unnest(v_queues) as q) as slot;
        if v_turns then
            perform symphony._set_idle(v_queues, v_worker, false);
            delete from symphony.worker as known where known.worker = v_worker;
            v_gone := v_gone + 1;
        end if;
    end loop;
    return v_gone;
end;
$$;

comment on function symphony._purge_workers is
$$Forget workers that have been silent for a minute.

Arguments  now
           at_most - so many of them
Returns    how many
Writes     symphony.worker, symphony.idle_worker
Locks      these workers, and the sleeping workers of their queues; it waits for neither
Access     private$$;
