/*
 * NOTIFY makes every committing producer wait for one global lock, so enqueue() notifies
 * only while a worker of that queue has said that it sleeps.
 *
 * Workers fall asleep and wake many times a second, and enqueue() looks at every message.
 * So the newest row of a queue is its state, as with claims: the look is one step into the
 * index and never walks over rows that a long snapshot keeps from being vacuumed.
 */
create unlogged table symphony.idle_worker (
    idle_id    bigint generated always as identity,
    queue_name text not null,
    workers    text[] not null,
    since      bigint,

    constraint idle_worker_pkey primary key (queue_name, idle_id)
);

comment on table symphony.idle_worker is
'The newest row of a queue names the workers that sleep until they are notified. Lost in a crash,'
' and then nobody sleeps.';
comment on column symphony.idle_worker.idle_id is 'The newest one counts.';
comment on column symphony.idle_worker.queue_name is 'The queue they listen to.';
comment on column symphony.idle_worker.workers is 'Names of the sleeping workers.';
comment on column symphony.idle_worker.since is
'The first transaction id that was not yet given out when all could see this row; null: unknown.';


create table symphony.worker (
    worker       text not null,
    queues       text[] not null,
    details      jsonb not null,
    started_at   timestamptz not null,
    seen_at      timestamptz not null,
    request      text,
    requested_at timestamptz,
    requested_by text,

    constraint worker_pkey primary key (worker),
    constraint worker_request_is_known check (request in ('stop', 'pause'))
);

comment on table symphony.worker is
'Workers that are alive: each says so every few seconds by heartbeat().';
comment on column symphony.worker.worker is 'The name it gives when it claims.';
comment on column symphony.worker.queues is 'The queues it consumes, in order.';
comment on column symphony.worker.details is
'What it tells of itself: host, pid, versions, counts, and the messages that it is working on.';
comment on column symphony.worker.started_at is 'When it first said so.';
comment on column symphony.worker.seen_at is 'When it last said so.';
comment on column symphony.worker.request is
'What request_workers() asked of it: stop, or pause; null: nothing, or to go on.';
comment on column symphony.worker.requested_at is 'When it was asked for that.';
comment on column symphony.worker.requested_by is 'Who asked, as _signature() says.';


create table symphony.tick (
    tick_id         bigint generated always as identity,
    ticked_at       timestamptz not null,
    swept_until     timestamptz not null,
    full_sweep_at   timestamptz not null,
    purge_at        timestamptz not null,
    promoted        integer not null default 0,
    recovered       integer not null default 0,
    failed          integer not null default 0,
    fired           integer not null default 0,
    purged          integer not null default 0,
    clock_schedule  text,
    fold_at         timestamptz not null default '-infinity',
    closed_until    timestamptz not null default '-infinity',
    swept_xid       bigint,

    constraint tick_pkey primary key (tick_id)
);

comment on table symphony.tick is
'What each tick() of the last hour did; the newest row is where the next one starts.';
comment on column symphony.tick.tick_id is 'Order of the ticks.';
comment on column symphony.tick.ticked_at is 'When it ran.';
comment on column symphony.tick.swept_until is
'Due messages and ended leases up to then have been dealt with.';
comment on column symphony.tick.full_sweep_at is
'From then on a tick looks at everything again, not only at what ended since: it finds rows that '
'were committed late.';
comment on column symphony.tick.purge_at is 'From then on a tick purges again.';
comment on column symphony.tick.promoted is 'Delayed messages that became pending.';
comment on column symphony.tick.recovered is
'Messages whose lease had ended and that became pending again.';
comment on column symphony.tick.failed is 'Messages whose lease had ended once too often.';
comment on column symphony.tick.fired is 'Messages enqueued for schedules.';
comment on column symphony.tick.purged is 'Completed and failed messages removed after their retention.';
comment on column symphony.tick.clock_schedule is
'While what was counted from a clock that was ahead is set right: the last schedule that is, or empty; '
'null: all is right.';
comment on column symphony.tick.fold_at is 'From then on a tick folds figures again; see 11_figures.sql.';
comment on column symphony.tick.closed_until is
'Up to then nothing can become due any more, not even by a transaction that commits late.';
comment on column symphony.tick.swept_xid is
'Transactions from this one on began when it had swept; null: its snapshot was older.';


/*
 * What one session does at a time: whoever does it locks the row.  Any login may take any advisory
 * lock, and could keep a tick from running for ever; the row can be locked by our functions alone.
 */
create unlogged table symphony.turn (
    turn_name text not null,

    constraint turn_pkey primary key (turn_name)
);

comment on table symphony.turn is
'A row for each thing that one session does at a time, which locks it; see _take_turn(). Lost in a crash, '
'and then made again.';
comment on column symphony.turn.turn_name is 'tick, schedules, routes, or sleep:0 to sleep:31.';

insert into symphony.turn (turn_name) values ('tick'), ('schedules'), ('routes');


create table symphony.purge_position (
    lane_id    integer not null,
    txid       bigint not null default 0,
    message_id bigint not null default 0,
    claim_id   bigint not null default 0,

    constraint purge_position_pkey primary key (lane_id),
    constraint purge_position_lane_id_fkey foreign key (lane_id)
        references symphony.lane (lane_id) on delete cascade
);

comment on table symphony.purge_position is
'How far each lane has been purged, so that a purge starts behind the rows the last one removed. A lane has '
'its row from the start: no purge waits for another one that adds it.';
comment on column symphony.purge_position.lane_id is 'The lane.';
comment on column symphony.purge_position.txid is 'Transaction of the last message removed.';
comment on column symphony.purge_position.message_id is 'The last message removed.';
comment on column symphony.purge_position.claim_id is
'The last claim whose messages are all removed.';
