/*
 * A queue that is ordered, or limits how many messages are in the hands of workers, has a gate.
 * Its claims go through it one at a time, whatever their lane.
 *
 * Nothing is counted up and down, so no crash can leave a count wrong: what is in flight is read from
 * the open claims, and the gate only tells which claims to look at.
 *
 * A message whose key is busy when the position comes to it is parked.  It stays in the log, behind the
 * position, and a row of "parked" points at it.  When its key is let go, the next claim takes it from
 * there.  So a key with a hundred thousand messages that wait holds up no other key: nobody passes them
 * a second time.
 *
 *      pending  ──── claim ────►  processing
 *         │                       ▲    │
 *         │ its key is busy       │    │ one before it of its key did not succeed
 *         ▼                       │    ▼
 *      waiting (message, behind the position, and parked)
 *
 * An ordered key whose head did not succeed is held by it: the head comes back some time, and nothing
 * else of the key is handed out before.  What else of the key its worker had is parked in front of all
 * that wait already.
 */
create table symphony.gate (
    gate_id     bigint generated always as identity,
    queue_name  text not null,
    open_claims bigint[] not null,
    has_parked  boolean not null default false,
    full_at     timestamptz,
    paced_until timestamptz,

    constraint gate_pkey primary key (queue_name, gate_id)
);

comment on table symphony.gate is
'The newest row of a queue with limits is its state, as in idle_worker.';
comment on column symphony.gate.gate_id is 'The newest one counts.';
comment on column symphony.gate.queue_name is 'The queue.';
comment on column symphony.gate.open_claims is
'The claims that may be open. One that is over stays as long as messages of its keys may be parked that '
'nobody has looked at since.';
comment on column symphony.gate.has_parked is
'False: nothing of the queue is parked, but by claims that gave messages back and are at the gate.';
comment on column symphony.gate.full_at is
'When as many messages as the burst says may be handed out again, if none is until then; null: now.';
comment on column symphony.gate.paced_until is
'Keys whose rate allowed the next message before, or at that moment, have been looked at; null: none has.';

create type symphony.gate_state as (
    gate_id     bigint,
    open_claims bigint[],
    over_claims bigint[],
    in_flight   integer,
    has_parked  boolean,
    full_at     timestamptz,
    paced_until timestamptz,
    busy        jsonb,
    freed       tid[]
);

comment on type symphony.gate_state is 'What a claim has to know of the gate of its queue; see _gate().';


create table symphony.parked (
    queue_name text not null,
    group_key  text not null,
    place      bigint not null,
    ordinal    integer not null,
    lane_id    integer not null,
    message_id bigint not null,

    constraint parked_pkey primary key (queue_name, group_key, place, ordinal)
);

comment on table symphony.parked is
'Messages of the log that the position has passed, since their key was busy.';
comment on column symphony.parked.queue_name is 'The queue of the message.';
comment on column symphony.parked.group_key is 'The key of the message.';
comment on column symphony.parked.place is
'The claim that passed it; less than 0: the claim that had it, and it goes before the others of its key.';
comment on column symphony.parked.ordinal is 'Its place among those of that claim.';
comment on column symphony.parked.lane_id is 'The lane of the message.';
comment on column symphony.parked.message_id is 'The message.';

create index parked_message_idx on symphony.parked (message_id);

comment on index symphony.parked_message_idx is
'Serves cancel(), message_status() and purge(): whether a message is parked.';


create table symphony.held_key (
    queue_name text not null,
    group_key  text not null,
    message_id bigint not null,
    held_at    timestamptz not null,

    constraint held_key_pkey primary key (queue_name, group_key)
);

comment on table symphony.held_key is
'Keys of ordered queues whose head did not succeed: nothing else of them is handed out.';
comment on column symphony.held_key.queue_name is 'The queue.';
comment on column symphony.held_key.group_key is 'The key.';
comment on column symphony.held_key.message_id is
'The head. It is in the log, delayed, or failed where the queue says on_failure => ''hold''.';
comment on column symphony.held_key.held_at is 'When it did not succeed for the first time.';

create index held_key_message_idx on symphony.held_key (message_id);

comment on index symphony.held_key_message_idx is
'Serves ack(), cancel() and remove_failed(): the key that a message holds.';


create table symphony.freed_key (
    queue_name text not null,
    group_key  text not null
);

/* Without a key a row is told from others by all it holds, where the table is replicated. */
alter table symphony.freed_key replica identity full;

create index freed_key_queue_idx on symphony.freed_key (queue_name);

comment on index symphony.freed_key_queue_idx is 'Serves claim_batch(): the keys that were freed.';

comment on table symphony.freed_key is
'Keys that were let go by anything but the end of a claim, until a claim has looked at what is parked of '
'them. Without a key nobody waits for anybody.';
comment on column symphony.freed_key.queue_name is 'The queue.';
comment on column symphony.freed_key.group_key is 'The key.';


/*
 * A rate is a bucket that fills by a token every so often, and holds as many as the burst says.  A message
 * that is handed out takes one.  Only one moment has to be kept: when the bucket will be full (this is the
 * generic cell rate algorithm).  It is in the row of the gate, and here for each key.
 *
 * A claim looks for several keys of a queue at once.  They come first in the primary key: behind the queue, a
 * plan that was made while there were few keys might walk over all that the queue has.
 */
create table symphony.key_pace (
    pace_id    bigint generated always as identity,
    queue_name text not null,
    group_key  text not null,
    full_at    timestamptz not null,
    next_at    timestamptz,

    constraint key_pace_pkey primary key (group_key, queue_name, pace_id)
);

comment on table symphony.key_pace is
'Keys of queues with a key_rate of which messages were handed out lately. The newest row of a key counts.';
comment on column symphony.key_pace.pace_id is 'The newest one counts.';
comment on column symphony.key_pace.queue_name is 'The queue.';
comment on column symphony.key_pace.group_key is 'The key.';
comment on column symphony.key_pace.full_at is
'When as many messages as the rate names may be handed out at once again, if none is until then.';
comment on column symphony.key_pace.next_at is
'When a claim looks for what is parked of the key; null: nothing is, or something else holds it up.';

create index key_pace_next_idx on symphony.key_pace (queue_name, next_at) where next_at is not null;

comment on index symphony.key_pace_next_idx is
'Serves claim_batch(): the keys whose rate allows the next message; and tick(): when it does.';

create index key_pace_full_idx on symphony.key_pace (full_at);

comment on index symphony.key_pace_full_idx is 'Serves purge(): keys of which nothing has to be kept.';
