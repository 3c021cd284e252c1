create or replace function symphony.idle(worker text, queues text[])
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
/*
 * A producer that looked before the declaration was committed does not notify, though it may
 * commit its message later.  So the first call declares, the second one, when all can see it,
 * notes which transactions had begun by then, and once those have ended nothing can be missed.
 */
begin
    perform symphony._check_worker(worker, queues);
    if symphony._set_idle(queues, worker, true) then
        return false;
    end if;
    update symphony.idle_worker
    set since = pg_snapshot_xmax(pg_current_snapshot())::text::bigint
    where idle_worker.queue_name = any (idle.queues) and idle_worker.since is null;
    return not exists (
        select from symphony.idle_worker
        where idle_worker.queue_name = any (idle.queues)
          and idle_worker.since > pg_snapshot_xmin(pg_current_snapshot())::text::bigint is not false);
end;
$$;

comment on function symphony.idle is
$$Say that a worker sleeps, so that enqueue() notifies it on symphony:<queue>. It stays so while the
worker works off what came, until busy(). The payload of a notification is empty if it is for all.
Or it is a JSON array: the worker that is called, another one that looks if the first does not come,
and the newest claim.

Arguments  worker - the name it claims with
           queues - those it listens to
Returns    false: a message may still come unannounced, so claim again soon and call this again;
           true: the worker may sleep
Raises     SY001 unknown_queue
           22023 invalid_parameter_value
           42501 insufficient_privilege - the role may use other queues only
Writes     symphony.idle_worker, if that is news
Access     consumer$$;
