/*
 * A message is in exactly one place:
 *
 *      enqueue()                 claim_batch()                ack()
 *   ──────────────►  pending  ──────────────►  processing  ─────────►  completed ──► purged
 *         │          (message,    ▲            (message, and            (message, behind
 *         │           ahead of    │             in the open ids          the position, in
 *         │           the lane's  │             of a claim)              no claim's open ids)
 *         │           position)   │                 │
 *         │ delay                 │ tick()          │ nack_with_backoff(), lease end
 *         └───────►  delayed  ────┘                 ▼
 *                    (delayed_message)  ◄───────── retry, or: failed
 *                                                            (failed_message)
 *
 * A message keeps its message_id wherever it goes, and a move is one statement.
 *
 * symphony.message is a log.  On the hot path a row is inserted and not touched again:
 * claiming it writes to symphony.claim, acknowledging it too.  So there are no dead rows
 * for a claim to step over, however long somebody's snapshot keeps them.
 */
create sequence symphony.message_id_seq as bigint;

comment on sequence symphony.message_id_seq is 'Numbers the messages, wherever they are.';


create table symphony.message (
    message_id   bigint not null default nextval('symphony.message_id_seq'),
    txid         bigint not null default pg_current_xact_id()::text::bigint,
    enqueued_at  timestamptz not null,
    lane_id      integer not null,
    attempt      smallint not null default 0,
    message_type text not null,
    body         jsonb not null,
    headers      jsonb not null,
    group_key    text,
    available_at timestamptz,
    last_error   text,
    retry        jsonb,
    expires_at   timestamptz,
    on_expiry    text,

    constraint message_pkey primary key (message_id)
);

comment on table symphony.message is
'The log: pending, processing and completed messages. The lane''s position and the open claims '
'tell which of them a row is; see message_status().';
comment on column symphony.message.message_id is 'The same for the whole life of the message.';
comment on column symphony.message.txid is
'Transaction that put it here. Ids are drawn before commit, so only this tells what a position '
'has seen.';
comment on column symphony.message.enqueued_at is 'When enqueue() was called.';
comment on column symphony.message.lane_id is 'Its lane: queue and priority.';
comment on column symphony.message.attempt is 'Deliveries that ended without success.';
comment on column symphony.message.message_type is 'Wire name of the type; selects the handler.';
comment on column symphony.message.body is 'The payload.';
comment on column symphony.message.headers is 'Metadata given by the producer.';
comment on column symphony.message.group_key is 'Messages with the same key belong together.';
comment on column symphony.message.available_at is
'When it became due, if it was delayed or retried.';
comment on column symphony.message.last_error is
'Why the last attempt did not succeed, or why it was put off.';
comment on column symphony.message.retry is
'How it is retried, as enqueue() was told; null: as its type and queue say.';
comment on column symphony.message.expires_at is
'From then on it is handed out no more: the claim that comes to it settles it; null: never.';
comment on column symphony.message.on_expiry is
'What becomes of it then. drop: it is removed; null: it fails.';

create index message_lane_idx on symphony.message (lane_id, txid, message_id);

comment on index symphony.message_lane_idx is
'Serves claim_batch(): the next messages of a lane, in order.';


create table symphony.delayed_message (
    message_id   bigint not null default nextval('symphony.message_id_seq'),
    available_at timestamptz not null,
    enqueued_at  timestamptz not null,
    lane_id      integer not null,
    attempt      smallint not null default 0,
    message_type text not null,
    body         jsonb not null,
    headers      jsonb not null,
    group_key    text,
    last_error   text,
    error_class  text,
    retry        jsonb,
    wait         interval,
    expires_at   timestamptz,
    on_expiry    text,

    constraint delayed_message_pkey primary key (message_id)
);

comment on table symphony.delayed_message is
'Messages that wait for their time: a delay, or a retry.';
comment on column symphony.delayed_message.message_id is
'The same for the whole life of the message.';
comment on column symphony.delayed_message.available_at is 'When tick() moves it into the log.';
comment on column symphony.delayed_message.enqueued_at is 'When enqueue() was called.';
comment on column symphony.delayed_message.lane_id is 'Its lane: queue and priority.';
comment on column symphony.delayed_message.attempt is 'Deliveries that ended without success.';
comment on column symphony.delayed_message.message_type is
'Wire name of the type; selects the handler.';
comment on column symphony.delayed_message.body is 'The payload.';
comment on column symphony.delayed_message.headers is 'Metadata given by the producer.';
comment on column symphony.delayed_message.group_key is
'Messages with the same key belong together.';
comment on column symphony.delayed_message.last_error is
'Why the last attempt did not succeed, or why it was put off; null: a first delivery.';
comment on column symphony.delayed_message.error_class is
'Class of that error, as the worker named it.';
comment on column symphony.delayed_message.retry is
'How it is retried, as enqueue() was told; null: as its type and queue say.';
comment on column symphony.delayed_message.wait is
'How long it was put off, where available_at was counted from the time of then; null: it waits for a moment.';
comment on column symphony.delayed_message.expires_at is
'From then on it is handed out no more; null: never.';
comment on column symphony.delayed_message.on_expiry is
'What becomes of it then. drop: it is removed; null: it fails.';

create index delayed_message_due_idx on symphony.delayed_message (available_at);

comment on index symphony.delayed_message_due_idx is
'Serves tick(): what is due, and when the next one is.';

create index delayed_message_lane_idx on symphony.delayed_message (lane_id);

comment on index symphony.delayed_message_lane_idx is
'Serves queue_stats() and drop_queue(): the delayed messages of a queue.';


create table symphony.failed_message (
    message_id   bigint not null,
    failed_at    timestamptz not null,
    enqueued_at  timestamptz not null,
    lane_id      integer not null,
    attempt      smallint not null,
    reason       text not null,
    message_type text not null,
    body         jsonb not null,
    headers      jsonb not null,
    group_key    text,
    last_error   text not null,
    error_class  text,
    worker       text,
    retry        jsonb,
    expires_at   timestamptz,

    constraint failed_message_pkey primary key (message_id),
    constraint failed_message_reason_is_known
        check (reason in ('exhausted', 'permanent', 'lease ended', 'expired'))
);

comment on table symphony.failed_message is
'Messages that failed for good. They stay until a person replays or removes them.';
comment on column symphony.failed_message.message_id is
'The same for the whole life of the message.';
comment on column symphony.failed_message.failed_at is 'When it was given up.';
comment on column symphony.failed_message.enqueued_at is 'When enqueue() was called.';
comment on column symphony.failed_message.lane_id is 'Its lane: queue and priority.';
comment on column symphony.failed_message.attempt is 'Deliveries it had.';
comment on column symphony.failed_message.reason is
'exhausted: its attempts were used up; permanent: the error cannot be cured by a retry; lease '
'ended: it took its last worker down; expired: it was snoozed for too long.';
comment on column symphony.failed_message.message_type is
'Wire name of the type; selects the handler.';
comment on column symphony.failed_message.body is 'The payload.';
comment on column symphony.failed_message.headers is 'Metadata given by the producer.';
comment on column symphony.failed_message.group_key is
'Messages with the same key belong together.';
comment on column symphony.failed_message.last_error is 'Why the last attempt did not succeed.';
comment on column symphony.failed_message.error_class is
'Class of that error, as the worker named it.';
comment on column symphony.failed_message.worker is 'The worker of the last attempt.';
comment on column symphony.failed_message.retry is
'How it was retried, as enqueue() was told; null: as its type and queue say.';
comment on column symphony.failed_message.expires_at is
'Until when it had to be started; null: it had no such time. A replay has none.';

create index failed_message_lane_idx on symphony.failed_message (lane_id, failed_at, message_id);

comment on index symphony.failed_message_lane_idx is
'Serves queue_stats(), and the failed of a queue in order: failed_messages(), retry_failed(), tick().';

create index failed_message_group_idx on symphony.failed_message (
    lane_id, message_type, (coalesce(error_class, '')), failed_at, message_id);

comment on index symphony.failed_message_group_idx is
'Serves failed_messages() and failed_stats(): those of a type, or with a class of error, in order.';


create type symphony.failed_choice as (
    message_ids  bigint[],
    queue_name   text,
    message_type text,
    error_class  text,
    since        timestamptz,
    until        timestamptz,
    search       text,
    everything   boolean,
    up_to_id     bigint
);

comment on type symphony.failed_choice is 'Which failed messages an operator means; see retry_failed().';


create type symphony.message_options as (
    expires_in         interval,
    expires_at         timestamptz,
    on_expiry          text,
    on_duplicate       text,
    idempotency_window interval
);

comment on type symphony.message_options is
'What enqueue() was told of a message that is told of few; see there.';


create table symphony.idempotency_key (
    queue_name text not null,
    key        text not null,
    message_id bigint not null,
    expires_at timestamptz not null,
    deliveries integer not null default 1,

    constraint idempotency_key_pkey primary key (queue_name, key),
    constraint idempotency_key_is_short check (octet_length(key) between 1 and 512)
);

comment on table symphony.idempotency_key is
'Keys in use: enqueue() with one of them returns the first message''s id. A key is free again when its '
'window is over, and when its message was taken away: cancelled, purged, or failed and removed.';
comment on column symphony.idempotency_key.queue_name is 'A key counts within one queue.';
comment on column symphony.idempotency_key.key is 'The key the producer gave.';
comment on column symphony.idempotency_key.message_id is 'The message that the key stands for.';
comment on column symphony.idempotency_key.expires_at is 'From then on the key is free again.';
comment on column symphony.idempotency_key.deliveries is
'Messages that it stands for, one for each transport and handler. With more than one it stays in use '
'until it expires, whatever becomes of the first: the others would be made again.';

create index idempotency_key_expiry_idx on symphony.idempotency_key (expires_at);

comment on index symphony.idempotency_key_expiry_idx is 'Serves tick(): keys that are free again.';

create index idempotency_key_message_idx on symphony.idempotency_key (message_id);

comment on index symphony.idempotency_key_message_idx is
'Serves cancel(), remove_failed() and tick(): the key of a message that is taken away.';
