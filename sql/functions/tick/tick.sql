create or replace function symphony.tick(purge boolean default true)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
/*
 * A sweep starts where the last one ended, so that it does not walk over rows that are gone
 * but cannot be vacuumed yet.  Rows committed late may lie before that point: a full sweep
 * finds them.  It goes back to where none can come any more: to the time of the last sweep, when all
 * transactions that ran during that one have ended.  The first one of each minute relies on nothing,
 * and goes back to the beginning.  A full sweep is so rare that it takes at most a fiftieth of the
 * time, but it is made once a minute at least.  Nearly always each sweep is a full one.
 *
 * Everything is done in portions: a tick that is cancelled since it takes too long undoes all it did.
 */
declare
    v_now      timestamptz := symphony._now();
    v_begun    timestamptz := clock_timestamp();
    v_last     symphony.tick;
    v_oldest   bigint := pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
    v_ahead    interval;
    v_wrong    text;
    v_is_full  boolean;
    v_is_late  boolean;
    v_is_due   boolean;
    v_closed   timestamptz;
    v_from     timestamptz;
    v_swept    record;
    v_fired    integer;
    v_gone     record;
    v_fold_at  timestamptz;
begin
    select * into v_last from symphony.tick order by tick_id desc limit 1;
    if v_now < v_last.ticked_at - interval '1 second' then    -- the clock was set back: begin anew
        v_ahead := v_last.ticked_at - v_now;
        v_wrong := v_last.clock_schedule;
        v_last := null;
    end if;
    v_is_full := v_last is null or v_now >= v_last.full_sweep_at;
    v_closed := case when date_trunc('minute', v_now) = date_trunc('minute', v_last.ticked_at)
                     then v_last.closed_until else '-infinity' end;
    v_from := case when v_is_full then v_closed else v_last.swept_until end;
    if not symphony._take_turn('tick', wait => false) then
        return jsonb_build_object('ran', false, 'next_due_at', symphony._next_due_at(v_from, v_now));
    end if;
    perform symphony._end_when_idle();
    perform symphony.rebase() where not exists (select from symphony._home());
    if v_ahead is not null then
        v_wrong := symphony._follow_clock(v_ahead, v_now, v_wrong);
    end if;
    v_fired := case when exists (select from symphony.schedule where enabled and next_run_at <= v_now)
                    then symphony.tick_schedules() else 0 end;
    perform symphony._mark_used_lanes() where exists (select from symphony.lane_use);
    v_swept := symphony._sweep(v_from, v_now);
    perform symphony._free_stuck_keys(10000) where v_is_full and exists (select from symphony.parked);
    perform symphony._wake_paced(v_last.ticked_at, v_now);
    v_is_late := v_swept.has_more or v_fired >= 1000 or v_wrong is not null;
    if v_is_full and not v_is_late and v_last.swept_xid <= v_oldest then
        v_closed := v_last.ticked_at - interval '10 seconds';    -- the clock is read before a lock is had
    end if;
    v_fold_at := symphony._fold(v_last.fold_at, v_now);
    v_is_due := v_last is null or v_now >= v_last.purge_at;
    select 0 as purged, v_is_due as has_more into v_gone;
    if v_is_due and tick.purge then
        select * into v_gone from symphony.purge(10000);
    end if;
    insert into symphony.tick (
        ticked_at, swept_until, full_sweep_at, purge_at, promoted, recovered, failed, fired, purged,
        clock_schedule, fold_at, closed_until, swept_xid)
    values (
        case when v_wrong is null then v_swept.until else v_now + v_ahead end,    -- the next one goes on
        case when v_is_late then v_from else v_now end,
        case when v_is_full then v_now + least(50 * (clock_timestamp() - v_begun), '1 minute')
             else v_last.full_sweep_at end,
        case when not v_is_due then v_last.purge_at
             when v_gone.has_more and tick.purge then v_now
             else v_now + interval '10 seconds' end,
        v_swept.promoted, v_swept.recovered, v_swept.failed, v_fired, v_gone.purged, v_wrong, v_fold_at,
        v_closed, case when current_setting('transaction_isolation') like 'read%'
                       then pg_snapshot_xmax(pg_current_snapshot())::text::bigint end);
    return jsonb_build_object(
        'ran', true, 'promoted', v_swept.promoted, 'recovered', v_swept.recovered, 'failed', v_swept.failed,
        'fired', v_fired, 'purged', v_gone.purged, 'purge_due', v_gone.has_more, 'has_more', v_is_late,
        'next_due_at', symphony._next_due_at(v_from, v_now));
end;
$$;

comment on function symphony.tick is
$$Do what time has made due: delayed messages, schedules, ended leases, retention. Call it every
second, from as many places as you like.

Arguments  purge - false: remove nothing, but say when that is due. For 10 seconds it is then left
               to the caller, who calls purge() in a transaction of its own
Returns    an object. If ran is false, it has only ran and next_due_at
           ran - false: another session was at it
           promoted - delayed messages that are pending now
           recovered - messages whose lease ended, pending again
           failed - messages whose lease ended and that had no attempt left
           fired - messages that schedules enqueued
           purged - completed and failed messages that were removed
           purge_due - true: call purge() until it has no more, or the next tick does so
           has_more - true: call again at once, more is due than is done in one call
           next_due_at - when the next delayed message or schedule is due, or the rate of a queue or
               of a key allows the next of what waits
Raises     SY012 still_replicated
Writes     symphony.tick (inserts one row) and the tables of the messages concerned. One call
           promotes at most 1,000 messages, takes back at most 100 claims with some 10,000 messages,
           ends with the schedule that has fired the thousandth message, purges at most 10,000 rows
           of a kind, and after an outage or when the clock was set back it sets right at most
           10,000 rows of a kind and 1,000 schedules
Locks      all other ticks until the transaction ends: commit at once. An idle transaction is ended
           after 10 seconds
Access     consumer, operator$$;
