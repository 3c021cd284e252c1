create or replace function symphony._tick_incidents(now timestamptz)
returns setof symphony.incident
language plpgsql
stable
as $$
/*
 * Where nothing was ever enqueued or scheduled, there is nothing that a tick could do.  The first
 * worker of all ticks soon after it has started.
 */
declare
    v_last    timestamptz := (select tick.ticked_at from symphony.tick order by tick.tick_id desc limit 1);
    v_holder  text;
    v_command text;
begin
    if coalesce(v_last, (select min(worker.started_at) from symphony.worker))
       > now - (symphony._thresholds()).tick
       or v_last is null
          and not exists (select from symphony.message)
          and not exists (select from symphony.schedule where schedule.next_run_at is not null)
          and not exists (select from symphony.delayed_message)
    then
        return;
    end if;
    select held.who, held.command into v_holder, v_command
    from symphony._held_locks() as held
    where held.turn_name = 'tick';
    return next row(
        'critical', 'no_tick', null,
        case when v_last is null then 'Nothing has ever ticked: retries and schedules stand still.'
             else format('Nothing has ticked for %s: retries and schedules stand still.',
                         symphony._duration(now - v_last)) end,
        v_last,
        coalesce('Held by ' || v_holder || '.',
                 'Nothing calls symphony.tick(): no worker runs, and no cron job.'),
        coalesce(v_command, 'symphony-pg consume --all --app MODULE:APP'))::symphony.incident;
end;
$$;

comment on function symphony._tick_incidents is
$$Whether nothing ticks, and who keeps others from it.

Arguments  now
Access     private$$;
