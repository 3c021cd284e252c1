/*
 * A schedule enqueues a message at each of its times.  next_run_at is computed ahead, so a
 * look for what is due is one step into an index; tick_schedules() enqueues the message and
 * moves next_run_at in one transaction, and the key of schedule_run keeps any time from being
 * fired twice.
 */
create table symphony.schedule (
    schedule_name   text not null,
    message_type    text not null,
    body            jsonb not null,
    headers         jsonb not null,
    queue_name      text,
    priority        integer,
    schedule_type   text not null,
    schedule_config jsonb not null,
    timezone        text not null,
    starts_at       timestamptz,
    ends_at         timestamptz,
    max_runs        integer,
    jitter          interval not null,
    catch_up        text not null,
    catch_up_limit  integer not null,
    overlap         text not null,
    managed_by      text,
    enabled         boolean not null default true,
    next_run_at     timestamptz,
    last_run_at     timestamptz,
    last_message_id bigint,
    run_count       integer not null default 0,
    last_error      text,
    created_at      timestamptz not null,
    updated_at      timestamptz not null,
    state           text generated always as (
        case when enabled and next_run_at is not null then 'on'
             when enabled then 'done'
             when last_error is null then 'paused'
             else 'broken' end) stored,
    paused_at       timestamptz,
    paused_by       text,
    expires_in      interval,
    on_expiry       text,

    constraint schedule_pkey primary key (schedule_name),
    constraint schedule_name_is_short check (length(schedule_name) between 1 and 200),
    constraint schedule_type_is_known check (schedule_type in ('once', 'cron', 'interval')),
    constraint schedule_starts_at_is_finite check (isfinite(starts_at)),
    constraint schedule_max_runs_is_positive check (max_runs > 0),
    constraint schedule_jitter_is_sane check (jitter >= '0' and jitter <= '1 day'),
    constraint schedule_catch_up_is_known check (catch_up in ('skip', 'last', 'all')),
    constraint schedule_catch_up_limit_is_sane check (catch_up_limit between 1 and 10000),
    constraint schedule_overlap_is_known check (overlap in ('allow', 'skip')),
    constraint schedule_managed_by_is_short check (length(managed_by) between 1 and 200),
    constraint schedule_expires_in_is_sane
        check (expires_in > '0' and expires_in <= '100 years'),
    constraint schedule_on_expiry_is_known check (on_expiry in ('fail', 'drop')),
    constraint schedule_on_expiry_needs_an_end check (on_expiry is null or expires_in is not null),
    constraint schedule_window_is_open check (starts_at < ends_at)
);

comment on table symphony.schedule is 'What is enqueued when; see create_schedule().';
comment on column symphony.schedule.schedule_name is 'Identifies the schedule.';
comment on column symphony.schedule.message_type is 'Type of its messages.';
comment on column symphony.schedule.body is 'Body of its messages.';
comment on column symphony.schedule.headers is
'Headers of its messages; "schedule" and "scheduled_at" are added.';
comment on column symphony.schedule.queue_name is
'The queue they are put into; null: as their type is routed.';
comment on column symphony.schedule.priority is 'Their priority; null: as enqueue() has it.';
comment on column symphony.schedule.schedule_type is 'once, cron or interval.';
comment on column symphony.schedule.schedule_config is
'once: {"at": time}; cron: {"expression": text}; interval: {"every": interval}.';
comment on column symphony.schedule.timezone is 'Zone whose clocks a cron expression goes by.';
comment on column symphony.schedule.starts_at is 'No run before; an interval counts from here.';
comment on column symphony.schedule.ends_at is 'No run after.';
comment on column symphony.schedule.max_runs is 'It is done after so many messages; null: never.';
comment on column symphony.schedule.jitter is 'Each message is delayed by a random part of this.';
comment on column symphony.schedule.catch_up is
'What to do with runs that nobody fired in time: skip them, fire the last one, or fire all.';
comment on column symphony.schedule.catch_up_limit is 'With all: how many at most.';
comment on column symphony.schedule.overlap is
'skip: no run while the message of the last one is pending, delayed or being processed.';
comment on column symphony.schedule.managed_by is
'The application that declares it, see sync_schedules(); null: it was made by hand.';
comment on column symphony.schedule.enabled is 'False: paused, or broken (see last_error).';
comment on column symphony.schedule.next_run_at is
'When it runs next; null: never again, it is done.';
comment on column symphony.schedule.last_run_at is 'The time it last ran for.';
comment on column symphony.schedule.last_message_id is 'The message of that run.';
comment on column symphony.schedule.run_count is 'Messages it has enqueued.';
comment on column symphony.schedule.last_error is 'Why it was disabled; null: it is well.';
comment on column symphony.schedule.created_at is
'When it was created; an interval without starts_at counts from here.';
comment on column symphony.schedule.updated_at is
'When it was last created anew, paused or resumed.';
comment on column symphony.schedule.state is
'on; paused; broken: last_error says why; done: it will not run again.';
comment on column symphony.schedule.paused_at is 'Since when it is paused; null: it is not.';
comment on column symphony.schedule.paused_by is 'Who paused it, as _signature() says.';
comment on column symphony.schedule.expires_in is
'How long after its time a message may start; null: without an end.';
comment on column symphony.schedule.on_expiry is 'What becomes of it then: fail or drop; null: fail.';

create index schedule_due_idx on symphony.schedule (next_run_at) where enabled;

comment on index symphony.schedule_due_idx is
'Serves tick_schedules(): what is due, and what is due next.';


create table symphony.schedule_run (
    schedule_name text not null,
    scheduled_at timestamptz not null,
    fired_at      timestamptz not null,
    message_id    bigint,
    skipped       text,

    constraint schedule_run_pkey primary key (schedule_name, scheduled_at),
    constraint schedule_run_is_fired_or_skipped check ((message_id is null) <> (skipped is null))
);

comment on table symphony.schedule_run is 'The runs of the schedules, kept for 30 days.';
comment on column symphony.schedule_run.schedule_name is 'The schedule.';
comment on column symphony.schedule_run.scheduled_at is 'The time it was to run at.';
comment on column symphony.schedule_run.fired_at is 'When tick_schedules() got to it.';
comment on column symphony.schedule_run.message_id is 'The message it enqueued.';
comment on column symphony.schedule_run.skipped is 'Why it did not enqueue one.';

create index schedule_run_age_idx on symphony.schedule_run (fired_at);

comment on index symphony.schedule_run_age_idx is
'Serves tick(): runs that have been kept for long enough.';
