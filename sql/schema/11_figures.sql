/*
 * Figures are folded: tick() goes through what happened since the last fold, once a minute, and adds a row
 * for each lane and minute.  Neither a producer nor a worker writes anything for them.
 *
 * What was handed out and how it ended is read from the claims.  A lane's claims are committed in the order
 * of their ids, so the tally of a lane tells which are done: those up to its claim_id, but for its
 * open_claims.  An ack that is committed late is found among these.  Each claim is counted once when it is
 * there and once when it is over, and a purge leaves those that are not.
 *
 * What came in is not counted: it is what is pending, what was passed, and what was put back to wait for its
 * key again.  What is pending is counted in stretches of at most a thousand messages.  A stretch that the
 * position has not come to counts whole, one that it is in is counted anew, and one behind it is forgotten.
 * So most messages are never counted: they are handed out before.
 *
 *      behind the position  |  stretch  |  stretch  |  stretch  |  not counted yet: transactions that
 *   ──────────────────────────────►     |           |           |  have ended since, or are running
 *                             position
 */
create table symphony.tally (
    lane_id            integer not null,
    claim_id           bigint not null default 0,
    open_claims        bigint[] not null default '{}',
    uncounted          int8multirange not null default '{[0,)}',
    partial_txid       bigint,
    partial_message_id bigint,
    passed             bigint not null default 0,
    arrived            bigint not null default 0,
    claimed            bigint not null default 0,
    completed          bigint not null default 0,
    retried            bigint not null default 0,
    failed             bigint not null default 0,
    returned           bigint not null default 0,
    waited_seconds     double precision not null default 0,
    worked_seconds     double precision not null default 0,
    waited             bigint[] not null default '{}',
    worked             bigint[] not null default '{}',

    constraint tally_pkey primary key (lane_id),
    constraint tally_lane_id_fkey foreign key (lane_id)
        references symphony.lane (lane_id) on delete cascade
) with (fillfactor = 50);

comment on table symphony.tally is
'How far each lane has been counted, and what it came to. A lane has its row from the start.';
comment on column symphony.tally.lane_id is 'The lane.';
comment on column symphony.tally.claim_id is 'The last claim that was gone through.';
comment on column symphony.tally.open_claims is 'Those up to it that were not over then.';
comment on column symphony.tally.uncounted is
'Transactions whose messages are not in stretches yet, like ahead of a claim.';
comment on column symphony.tally.partial_txid is
'The one of them that is counted in part; null: there is no such one.';
comment on column symphony.tally.partial_message_id is 'As far as that.';
comment on column symphony.tally.passed is
'Messages that are pending no longer: handed out, parked, put back, dropped or cancelled.';
comment on column symphony.tally.arrived is 'Messages that came in: those passed, and those pending.';
comment on column symphony.tally.claimed is 'Messages handed out.';
comment on column symphony.tally.completed is
'Messages acknowledged. This and the next ones count claims that are over.';
comment on column symphony.tally.retried is 'Messages that failed and are retried.';
comment on column symphony.tally.failed is 'Messages that failed for good.';
comment on column symphony.tally.returned is 'Messages given back.';
comment on column symphony.tally.waited_seconds is
'How long the messages had been due when they were claimed, in all.';
comment on column symphony.tally.worked_seconds is
'How long it took until their claims were over, in all.';
comment on column symphony.tally.waited is 'Sketch of these times; see _sketch().';
comment on column symphony.tally.worked is 'Sketch of those.';


create table symphony.stretch (
    lane_id   integer not null,
    from_txid bigint not null,
    after_id  bigint not null,
    to_txid   bigint not null,
    last_id   bigint not null,
    messages  integer not null,

    constraint stretch_pkey primary key (lane_id, from_txid, after_id)
);

comment on table symphony.stretch is
'Pending messages that were counted: those of a lane between two places of the log. No message will ever be '
'added between them.';
comment on column symphony.stretch.lane_id is 'The lane.';
comment on column symphony.stretch.from_txid is 'It begins in this transaction,';
comment on column symphony.stretch.after_id is 'behind this message.';
comment on column symphony.stretch.to_txid is 'It ends in this transaction,';
comment on column symphony.stretch.last_id is 'with this message.';
comment on column symphony.stretch.messages is 'How many.';


create table symphony.figure (
    figure_id      bigint generated always as identity,
    lane_id        integer not null,
    is_hour        boolean not null,
    begins_at      timestamptz not null,
    arrived        integer not null default 0,
    claimed        integer not null default 0,
    completed      integer not null default 0,
    retried        integer not null default 0,
    failed         integer not null default 0,
    returned       integer not null default 0,
    waited_seconds real not null default 0,
    worked_seconds real not null default 0,
    waited         integer[] not null default '{}',
    worked         integer[] not null default '{}',

    constraint figure_pkey primary key (lane_id, is_hour, begins_at, figure_id)
);

comment on table symphony.figure is
'What happened in a lane in a minute, or in an hour that was more than 7 days ago: then the hour takes the '
'place of its minutes. Rows are not changed: what is found late is a row more, and those of the same time '
'are added.';
comment on column symphony.figure.figure_id is 'Tells rows of the same time apart.';
comment on column symphony.figure.lane_id is 'The lane.';
comment on column symphony.figure.is_hour is 'True: an hour; false: a minute.';
comment on column symphony.figure.begins_at is 'When it begins.';
comment on column symphony.figure.arrived is 'As in tally, and so are the next ones.';
comment on column symphony.figure.claimed is 'Messages handed out in this time.';
comment on column symphony.figure.completed is 'Messages acknowledged: their claim was over in this time.';
comment on column symphony.figure.retried is 'Messages that failed and are retried.';
comment on column symphony.figure.failed is 'Messages that failed for good.';
comment on column symphony.figure.returned is 'Messages given back.';
comment on column symphony.figure.waited_seconds is 'Sum of the waits of what was claimed.';
comment on column symphony.figure.worked_seconds is 'Sum of the times of what was over.';
comment on column symphony.figure.waited is 'Sketch of the waits; see _sketch().';
comment on column symphony.figure.worked is 'Sketch of the times of work.';


create table symphony.work (
    work_id      bigint generated always as identity,
    told_at      timestamptz not null,
    queue_name   text not null,
    message_type text not null,
    handled      integer not null,
    failed       integer not null,
    worked       integer[] not null,

    constraint work_pkey primary key (work_id),
    constraint work_is_counted check (handled >= 0 and failed between 0 and handled),
    constraint work_worked_is_pairs check (worked = '{}' or array_length(worked, 2) = 2)
);

comment on table symphony.work is
'What handlers did, as heartbeats told, until tick() moves it to type_figure.';
comment on column symphony.work.work_id is 'Identifies the row.';
comment on column symphony.work.told_at is 'When the heartbeat came.';
comment on column symphony.work.queue_name is 'The queue of the messages.';
comment on column symphony.work.message_type is 'Their type.';
comment on column symphony.work.handled is 'How many handlers ended.';
comment on column symphony.work.failed is 'How many of them with an error.';
comment on column symphony.work.worked is 'Sketch of how long they took; see _sketch().';


create table symphony.type_figure (
    figure_id    bigint generated always as identity,
    is_hour      boolean not null,
    begins_at    timestamptz not null,
    queue_name   text not null,
    message_type text not null,
    handled      integer not null,
    failed       integer not null,
    worked       integer[] not null,

    constraint type_figure_pkey primary key (queue_name, is_hour, begins_at, figure_id)
);

comment on table symphony.type_figure is
'What handlers did with messages of a type, by minutes and, later, hours, as in figure.';
comment on column symphony.type_figure.figure_id is 'Tells rows of the same time apart.';
comment on column symphony.type_figure.is_hour is 'True: an hour; false: a minute.';
comment on column symphony.type_figure.begins_at is 'When it begins.';
comment on column symphony.type_figure.queue_name is 'The queue of the messages.';
comment on column symphony.type_figure.message_type is 'Their type.';
comment on column symphony.type_figure.handled is 'How many handlers ended.';
comment on column symphony.type_figure.failed is 'How many of them with an error.';
comment on column symphony.type_figure.worked is 'Sketch of how long they took.';
