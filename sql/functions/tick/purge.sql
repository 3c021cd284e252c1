create or replace function symphony.purge(
    at_most integer default 1000,
    out purged integer,
    out has_more boolean
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
/*
 * Lanes take their turns by chance, so that none waits behind others for ever.  The lock of all lanes
 * keeps rebase() out: as long as the positions are not of this server, nothing here can be judged.
 */
declare
    v_now  timestamptz := symphony._now();
    v_lane record;
    v_gone record;
    v_left integer := at_most;
begin
    perform symphony._check_number(
        'at_most', at_most, 1000000, 'It says how many rows of each kind one call may remove.',
        'Call again as long as has_more is true.');
    purged := 0;
    has_more := false;
    if not pg_try_advisory_xact_lock_shared(1398361424, 0) or not exists (select from symphony._home()) then
        return;
    end if;
    for v_lane in
        select old.lane_id, old.before from symphony._old_lanes(v_now) as old order by random()
    loop
        v_gone := symphony._purge_lane(v_lane.lane_id, v_lane.before, v_left);
        purged := purged + v_gone.messages;
        has_more := has_more or v_gone.has_more;
        v_left := v_left - greatest(v_gone.work, 1);
        exit when v_left <= 0;
    end loop;
    v_gone := symphony._purge_others(v_now, at_most);
    purged := purged + v_gone.failed;
    has_more := has_more or v_left <= 0 or v_gone.has_more;
end;
$$;

comment on function symphony.purge is
$$Remove what has been kept for long enough: completed messages, failed ones where the queue says so,
idempotency keys, runs of schedules, silent workers. tick() does it every 10 seconds unless it is
told not to. Then call this in a transaction of its own when tick() says that it is due.

Arguments  at_most - how many rows of each kind to remove in this call, 1 to 1,000,000
Returns    one row
           purged - how many messages were removed
           has_more - true: call again, others may be left
Raises     22023 invalid_parameter_value
Writes     symphony.message, symphony.claim, symphony.purge_position, symphony.failed_message,
           symphony.attempt, symphony.replay, symphony.idempotency_key, symphony.schedule_run,
           symphony.tick, symphony.worker, symphony.idle_worker, symphony.inbox
Locks      a share of the lock of all lanes, and the rows that go; what others hold is left out
Access     consumer, operator$$;
