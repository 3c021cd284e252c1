/*
 * A queue is a name and its settings.  Its messages travel in lanes: one lane for each
 * priority, because each lane is one ordered stream with one position (see 04_claim.sql).
 *
 * Most queues use one priority or two, so claim_batch() looks only into lanes that are marked
 * as used, or that lane_use names: enqueue() puts them there, and tick() marks them.
 *
 * A lane that is "alone" holds messages whose worker vanished while it had them.  They are
 * claimed one at a time, so a message that kills its worker cannot take others down with it.
 * Such lanes are made by tick() when they are first needed.
 */
create table symphony.queue (
    queue_name         text not null,
    max_attempts       integer,
    retry_delay        interval,
    retry_multiplier   double precision,
    retry_max_delay    interval,
    retry_jitter       double precision,
    lease              interval not null default '30 seconds',
    retention          interval not null default '1 day',
    max_body_bytes     integer not null default 1048576,
    idempotency_window interval not null default '1 day',
    paused_at          timestamptz,
    created_at         timestamptz not null default clock_timestamp(),
    failed_retention   interval,
    max_snooze         interval not null default '7 days',
    ordered            boolean not null default false,
    key_concurrency    integer,
    concurrency        integer,
    on_failure         text not null default 'continue',
    paused_by          text,
    rate               text,
    burst              integer,
    key_rate           text,

    constraint queue_pkey primary key (queue_name),
    constraint queue_name_is_plain check (queue_name ~ '^[A-Za-z0-9_.:/-]{1,48}$'),
    constraint queue_max_attempts_is_sane check (max_attempts between 1 and 1000),
    constraint queue_retry_delay_is_sane
        check (retry_delay >= '0' and retry_delay <= '1 year'),
    constraint queue_retry_multiplier_is_sane check (retry_multiplier between 1 and 100),
    constraint queue_retry_max_delay_is_sane
        check (retry_max_delay >= '0' and retry_max_delay <= '1 year'),
    constraint queue_retry_jitter_is_a_share check (retry_jitter between 0 and 1),
    constraint queue_lease_is_sane check (lease >= '100 milliseconds' and lease <= '1 day'),
    constraint queue_retention_is_sane check (retention >= '0' and retention <= '100 years'),
    constraint queue_max_body_bytes_is_sane check (max_body_bytes between 1 and 268435455),
    constraint queue_idempotency_window_is_sane
        check (idempotency_window > '0' and idempotency_window <= '100 years'),
    constraint queue_failed_retention_is_sane
        check (failed_retention > '0' and failed_retention <= '100 years'),
    constraint queue_max_snooze_is_sane check (max_snooze >= '0' and max_snooze <= '100 years'),
    constraint queue_ordered_means_one_of_a_key check (not ordered or key_concurrency = 1),
    constraint queue_key_concurrency_is_sane check (key_concurrency between 1 and 10000),
    constraint queue_concurrency_is_sane check (concurrency between 1 and 100000),
    constraint queue_on_failure_is_known check (on_failure in ('continue', 'hold')),
    constraint queue_rate_is_written_as_one check (rate ~ '^[1-9][0-9]{0,6}/[0-9]+(\.[0-9]+)? s$'),
    constraint queue_burst_is_sane check (burst between 1 and 1000000),
    constraint queue_burst_has_a_rate check (burst is null or rate is not null),
    constraint queue_key_rate_is_written_as_one
        check (key_rate ~ '^[1-9][0-9]{0,6}/[0-9]+(\.[0-9]+)? s$')
);

create index queue_rate_idx on symphony.queue (queue_name) where rate is not null or key_rate is not null;

comment on index symphony.queue_rate_idx is 'Serves tick(): queues of which a rate allows the next message.';

comment on table symphony.queue is 'The queues and their settings; see create_queue().';
comment on column symphony.queue.queue_name is '1 to 48 letters, digits and _ . : / -';
comment on column symphony.queue.max_attempts is
'Deliveries a message gets before it fails for good; a crash of its worker counts as one. This setting and '
'those of retries may be null: then the retry policy * tells (see 08_routing.sql).';
comment on column symphony.queue.retry_delay is 'Wait before the second attempt.';
comment on column symphony.queue.retry_multiplier is
'Factor by which the wait grows with each attempt.';
comment on column symphony.queue.retry_max_delay is 'The longest wait, before jitter.';
comment on column symphony.queue.retry_jitter is
'Random share of the wait, up or down, so that messages that failed together come back apart.';
comment on column symphony.queue.lease is
'How long a claim is held unless claim_batch() says otherwise; extend_lease() renews it.';
comment on column symphony.queue.retention is 'How long completed messages are kept as history.';
comment on column symphony.queue.max_body_bytes is
'Largest body, in bytes of jsonb before compression: what pg_column_size() says of a value that comes from '
'no table. That is about as long as its text.';
comment on column symphony.queue.idempotency_window is
'After this time an idempotency key is free again.';
comment on column symphony.queue.paused_at is 'Since when nothing is handed out; null: running.';
comment on column symphony.queue.paused_by is 'Who paused it, as _signature() says; null: running.';
comment on column symphony.queue.created_at is 'When the queue was created.';
comment on column symphony.queue.failed_retention is
'How long failed messages are kept; null: until a person removes them.';
comment on column symphony.queue.max_snooze is
'How long after it was enqueued, or replayed, a message may be put off by snooze().';
comment on column symphony.queue.ordered is
'True: the messages of a key are worked on one after the other, in their order; see 10_limits.sql.';
comment on column symphony.queue.key_concurrency is
'How many messages of a key are in the hands of workers at a time, in any order; null: no limit.';
comment on column symphony.queue.concurrency is
'How many messages are in the hands of workers at a time; null: no limit.';
comment on column symphony.queue.on_failure is
'What becomes of the key of an ordered message that failed for good. continue: the next one is its turn; '
'hold: all wait until it is replayed or removed.';
comment on column symphony.queue.rate is
'How many messages are handed out in what time, such as 100/1 s; null: no limit.';
comment on column symphony.queue.burst is
'How many of them may be handed out at once, after a time without any; null: as many as the rate names.';
comment on column symphony.queue.key_rate is
'The same as rate for the messages of each key; as many as it names may be handed out at once.';


create table symphony.lane (
    lane_id        integer generated always as identity,
    queue_name     text not null,
    priority       smallint not null,
    alone          boolean not null default false,
    is_used        boolean not null default false,
    is_held        boolean not null default false,
    is_unrouted    boolean not null default false,
    max_body_bytes integer not null default 1048576,
    is_gated       boolean not null default false,
    expires        boolean not null default false,

    constraint lane_pkey primary key (lane_id),
    constraint lane_key unique (queue_name, priority, alone),
    constraint lane_queue_name_fkey foreign key (queue_name) references symphony.queue (queue_name),
    constraint lane_priority_is_a_digit check (priority between 0 and 9)
);

create index lane_used_idx on symphony.lane (lane_id) where is_used;

comment on index symphony.lane_used_idx is
'Serves purge() and list_queues(): each queue has ten lanes, and most use one or two.';

comment on table symphony.lane is
'One ordered stream of messages of a queue: one for each priority.';
comment on column symphony.lane.lane_id is 'Identifies the lane, also in its advisory lock.';
comment on column symphony.lane.queue_name is 'The queue it belongs to.';
comment on column symphony.lane.priority is '0 to 9; 9 is claimed first.';
comment on column symphony.lane.alone is
'True: its messages were in the hands of a worker that vanished, and are claimed one by one.';
comment on column symphony.lane.is_used is
'Whether claim_batch() looks into it; set by tick() for those of lane_use.';
comment on column symphony.lane.is_held is
'True: nothing of it is handed out, since a transport is disabled; see disable_transport().';
comment on column symphony.lane.is_unrouted is
'True: no routes exist, so messages that name no queue come here without a look at them.';
comment on column symphony.lane.max_body_bytes is
'That of its queue, so that enqueue() finds all it needs in one row; 0: nothing may be enqueued here, since '
'an ordered queue has one priority.';
comment on column symphony.lane.is_gated is
'True: its queue is ordered or has a limit, and its claims go through the gate; see 10_limits.sql.';
comment on column symphony.lane.expires is
'True: messages that expire were enqueued here, so claims look for those that are late; set by tick() for '
'those of lane_use.';


create table symphony.lane_use (
    lane_id integer not null,
    expires boolean not null default false
);

/* Without a key a row is told from others by all it holds, where the table is replicated. */
alter table symphony.lane_use replica identity full;

comment on table symphony.lane_use is
'Lanes that were used for the first time, or by a message that expires, until tick() marks them. Without a '
'key no producer waits.';
comment on column symphony.lane_use.lane_id is 'The lane.';
comment on column symphony.lane_use.expires is 'True: by a message that expires.';
