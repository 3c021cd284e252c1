create or replace function symphony.create_schedule(
    schedule_name   text,
    message_type    text,
    schedule_type   text,
    schedule_config jsonb,
    body            jsonb default '{}',
    queue_name      text default null,
    priority        integer default null,
    headers         jsonb default '{}',
    timezone        text default 'UTC',
    starts_at       timestamptz default null,
    ends_at         timestamptz default null,
    max_runs        integer default null,
    jitter          interval default '0',
    catch_up        text default 'last',
    catch_up_limit  integer default 100,
    overlap         text default 'allow',
    expires_in      interval default null,
    on_expiry       text default null
)
returns timestamptz
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
/*
 * What is to be enqueued is checked now, by the rules of enqueue(), and not at 3 a.m.  A single
 * run keeps its moment: "tomorrow" does not move on.  A run that is due stays due when its
 * schedule is replaced by one with the same times, as at every deployment.
 */
declare
    v_now        timestamptz := symphony._now();
    v_schedule   symphony.schedule;
    v_constraint text;
begin
    timezone := coalesce(timezone, 'UTC');
    perform symphony._cron_check('', v_now, timezone);
    perform symphony._check_routed(
        message_type, body, queue_name, priority, null, null, null, headers);
    if schedule_type = 'once' then
        schedule_config := jsonb_build_object(
            'at', symphony._schedule_time(schedule_config, timezone));
    end if;
    insert into symphony.schedule as s (
        schedule_name, message_type, body, headers, queue_name, priority, schedule_type,
        schedule_config, timezone, starts_at, ends_at, max_runs, jitter, catch_up, catch_up_limit,
        overlap, expires_in, on_expiry, created_at, updated_at)
    values (
        create_schedule.schedule_name, create_schedule.message_type, create_schedule.body,
        create_schedule.headers, create_schedule.queue_name, create_schedule.priority,
        create_schedule.schedule_type, create_schedule.schedule_config,
        create_schedule.timezone, create_schedule.starts_at, create_schedule.ends_at,
        create_schedule.max_runs, coalesce(create_schedule.jitter, '0'), create_schedule.catch_up,
        create_schedule.catch_up_limit, create_schedule.overlap, create_schedule.expires_in,
        create_schedule.on_expiry, v_now, v_now)
    on conflict on constraint schedule_pkey do update
        set message_type = excluded.message_type, body = excluded.body, headers = excluded.headers,
            queue_name = excluded.queue_name, priority = excluded.priority,
            schedule_type = excluded.schedule_type, schedule_config = excluded.schedule_config,
            timezone = excluded.timezone, starts_at = excluded.starts_at,
            ends_at = excluded.ends_at, max_runs = excluded.max_runs, jitter = excluded.jitter,
            catch_up = excluded.catch_up, catch_up_limit = excluded.catch_up_limit,
            overlap = excluded.overlap, expires_in = excluded.expires_in, on_expiry = excluded.on_expiry,
            last_error = null, updated_at = v_now,
            enabled = s.enabled or s.last_error is not null,
            next_run_at = case
                when s.enabled
                     and (s.schedule_type, s.schedule_config, s.timezone,
                          s.starts_at, s.ends_at, s.max_runs) is not distinct from
                         (excluded.schedule_type, excluded.schedule_config, excluded.timezone,
                          excluded.starts_at, excluded.ends_at, excluded.max_runs)
                then s.next_run_at end
    returning s.* into v_schedule;

    update symphony.schedule as s
    set next_run_at = coalesce(v_schedule.next_run_at, symphony._next_run(
            v_schedule, case when s.schedule_type = 'once' and s.run_count = 0 then '-infinity'
                             else v_now end))
    where s.schedule_name = v_schedule.schedule_name
    returning s.next_run_at into v_schedule.next_run_at;
    perform symphony._audit('create_schedule', jsonb_build_object(
        'schedule_name', schedule_name, 'message_type', message_type, 'queue_name', queue_name,
        'schedule_type', schedule_type, 'schedule_config', schedule_config, 'timezone', timezone,
        'priority', priority, 'starts_at', starts_at, 'ends_at', ends_at, 'max_runs', max_runs,
        'jitter', jitter, 'catch_up', catch_up, 'catch_up_limit', catch_up_limit, 'overlap', overlap,
        'expires_in', expires_in, 'on_expiry', on_expiry));
    return v_schedule.next_run_at;
exception
    when check_violation or not_null_violation then
        get stacked diagnostics v_constraint = constraint_name;
        raise exception 'schedule "%" cannot be created',
                        coalesce(create_schedule.schedule_name, '(null)')
            using errcode = '22023',
                  detail  = coalesce((
                      select format('%s: %s.', v_constraint, pg_get_constraintdef(oid))
                      from pg_constraint
                      where conname = v_constraint and conrelid = 'symphony.schedule'::regclass),
                      format('%s.', sqlerrm)),
                  hint    = 'Nothing was changed. Correct this argument.';
end;
$$;

comment on function symphony.create_schedule is
$$Enqueue a message at certain times. A schedule of that name is replaced and keeps its history.

Arguments  schedule_name - the name
           message_type - as for enqueue()
           schedule_type - once, cron or interval
           schedule_config - once {"at": "2027-01-01 09:00+01"}, cron {"expression": "0 9 * *
               mon-fri"} or interval {"every": "15 minutes"}
           body, queue_name, priority, headers - as for enqueue()
           timezone - of a cron expression, and of a time without an offset
           starts_at - no run is earlier
           ends_at - no run is later
           max_runs - how many messages it enqueues in all; null: no limit
           jitter - each message is delayed by a random part of it
           catch_up - which of the runs that were missed it makes up for: skip, last or all
           catch_up_limit - how many of them at most
           overlap - allow, or skip a run while the last message is not settled
           expires_in - how long after the time of a run, and its jitter, a message may start: a run
               that comes later is skipped
           on_expiry - as for enqueue()
Returns    when it runs next; null: never
Raises     SY001 unknown_queue
           SY004 body_too_large
           SY022 needs_python
           22023 invalid_parameter_value
Writes     symphony.schedule, symphony.audit
Access     operator, producer$$;
