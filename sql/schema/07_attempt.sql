/*
 * What went wrong, and what people did about it.  Rows are written on the way of a failure
 * only, never by enqueue(), claim_batch() or ack(), and they go with their message.
 */
create table symphony.attempt (
    attempt_id  bigint generated always as identity,
    message_id  bigint not null,
    started_at  timestamptz not null,
    ended_at    timestamptz not null,
    replay      integer not null,
    attempt     smallint not null,
    outcome     text not null,
    worker      text,
    error_class text,
    error       text not null,
    traceback   text,

    constraint attempt_pkey primary key (message_id, attempt_id),
    constraint attempt_outcome_is_known check (outcome in ('retry', 'failed', 'expired'))
);

comment on table symphony.attempt is
'The attempts that did not succeed, of messages that still exist; see message_history().';
comment on column symphony.attempt.attempt_id is 'Order of the attempts.';
comment on column symphony.attempt.message_id is 'The message.';
comment on column symphony.attempt.started_at is 'When it was claimed.';
comment on column symphony.attempt.ended_at is 'When the worker gave it up, or its lease ended.';
comment on column symphony.attempt.replay is 'How often retry_failed() had brought it back by then.';
comment on column symphony.attempt.attempt is 'Number of the delivery; a replay counts from 1 again.';
comment on column symphony.attempt.outcome is
'retry: it came back; failed: it was given up; expired: it had not started in time, and no attempt was made.';
comment on column symphony.attempt.worker is 'The worker that had it.';
comment on column symphony.attempt.error_class is 'Class of the error, as the worker named it.';
comment on column symphony.attempt.error is 'What happened, without secrets.';
comment on column symphony.attempt.traceback is 'Where it happened, without secrets; the end of it.';

create index attempt_ended_idx on symphony.attempt (ended_at);

comment on index symphony.attempt_ended_idx is 'Serves recent_errors(): the errors of the last minutes.';


create table symphony.replay (
    replay_id   bigint generated always as identity,
    message_id  bigint not null,
    replayed_at timestamptz not null,
    replayed_by text not null default session_user,
    old_body    jsonb,

    constraint replay_pkey primary key (message_id, replay_id)
);

comment on table symphony.replay is
'When failed messages that still exist were brought back by retry_failed().';
comment on column symphony.replay.replay_id is 'Order of the replays.';
comment on column symphony.replay.message_id is 'The message.';
comment on column symphony.replay.replayed_at is 'When it was brought back.';
comment on column symphony.replay.replayed_by is 'The role that did it.';
comment on column symphony.replay.old_body is 'Its body before, if it was given a new one.';
