create or replace function symphony._record_run(
    schedule      symphony.schedule,
    scheduled_at timestamptz,
    now           timestamptz,
    skipped       text
)
returns integer
language plpgsql
volatile
set timezone = 'UTC'
as $$
/*
 * It enqueues in nobody's name, since whoever ticks may be limited to some queues, and with a delay, be it
 * none: what has one is stored, also if others of its type are sent to a broker directly.
 *
 * The header has the time in UTC, whoever ticks.  A time may come again when the clock was put
 * back: it is not fired again.
 */
declare
    v_skipped    text := skipped;
    v_jitter     interval := random() * schedule.jitter;
    v_expires_at timestamptz := scheduled_at + v_jitter + schedule.expires_in;
    v_message_id bigint;
begin
    if exists (
        select from symphony.schedule_run as r
        where r.schedule_name = schedule.schedule_name
          and r.scheduled_at = _record_run.scheduled_at)
    then
        return 0;
    end if;
    if v_skipped is null and schedule.overlap = 'skip' and exists (
        select from symphony.schedule as s, symphony._message_status(s.last_message_id) as m
        where s.schedule_name = schedule.schedule_name
          and m.status in ('pending', 'waiting', 'delayed', 'processing'))
    then
        v_skipped := 'the message of the last run is not settled';
    end if;
    if v_expires_at <= now + v_jitter then
        v_skipped := coalesce(
            v_skipped, 'it comes too late: a message may start for ' || schedule.expires_in);
    end if;
    if v_skipped is null then
        v_message_id := symphony._enqueue_other(
            schedule.message_type, schedule.body, schedule.queue_name, schedule.priority, v_jitter,
            null, null, null,
            schedule.headers || jsonb_build_object(
                'schedule', schedule.schedule_name, 'scheduled_at', scheduled_at),
            null, nextval('symphony.message_id_seq'),
            row(null, v_expires_at, schedule.on_expiry, null, null));
        update symphony.schedule as s
        set last_run_at = _record_run.scheduled_at, last_message_id = v_message_id,
            run_count = s.run_count + 1,
            next_run_at = case when s.run_count + 1 >= s.max_runs then null else s.next_run_at end
        where s.schedule_name = schedule.schedule_name;
    end if;
    insert into symphony.schedule_run (schedule_name, scheduled_at, fired_at, message_id, skipped)
    values (schedule.schedule_name, _record_run.scheduled_at, _record_run.now, v_message_id, v_skipped);
    return case when v_skipped is null then 1 else 0 end;
end;
$$;

comment on function symphony._record_run is
$$Enqueue the message of one run, or note why it was skipped.

Arguments  schedule
           scheduled_at - the time of the run
           now
           skipped - why it does not run; null: it runs
Returns    1 if a message was enqueued, or else 0
Access     private$$;
