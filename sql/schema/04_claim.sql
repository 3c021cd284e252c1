/*
 * A claim is one batch of messages in the hands of one worker until its lease ends.
 * The newest claim of a lane is also the lane's position: how far it has been handed out.
 *
 * Message ids are drawn before commit, so "every id above the last one" would skip the
 * message of a transaction that commits late.  A position therefore counts transactions:
 *
 *   ahead     the transactions whose messages are still to come: at first {[0,)}, all of
 *             them; later, say, {[750,751), [900,)}: 750 was still running when its
 *             neighbours were handed out, and everything from 900 on.
 *   partial   the one transaction in "ahead" that a claim ended in the middle of, and
 *             the last message that was handed out of it.
 *
 * A claim takes the messages of "ahead" intersected with the transactions that have ended
 * by now, in order, and what it took completely leaves "ahead".  A transaction that is still
 * running stays in it, whatever happens meanwhile: nothing is skipped, nothing waits for it.
 */
create sequence symphony.claim_id_seq as bigint;

comment on sequence symphony.claim_id_seq is 'Numbers the claims, in the upper bits of claim_id.';


/*
 * Claims may be committed asynchronously, and a crash that forgets one may also forget that its
 * number was given out.  The lower 16 bits of a claim_id are random, so that the worker of a
 * forgotten claim does not hold the key to another one.
 *
 * An ack changes what comes before "keys", which is the longest part of a row.  It comes last, so that the
 * end of the row stays as it is, and is not written to the WAL again.
 */
create table symphony.claim (
    claim_id           bigint not null
        default nextval('symphony.claim_id_seq') * 65536 + floor(random() * 65536)::bigint,
    claimed_at         timestamptz not null,
    lease_until        timestamptz not null,
    finished_at        timestamptz,
    partial_txid       bigint,
    partial_message_id bigint,
    first_place        bigint,
    lane_id            integer not null,
    size               integer not null,
    retried            integer not null default 0,
    failed             integer not null default 0,
    returned           integer not null default 0,
    waited             real not null default 0,
    worker             text,
    ahead              int8multirange not null,
    open_ids           bigint[] not null,
    renewed_at         timestamptz,
    keys               text[],
    holds              boolean,
    passed             integer,
    put_back           integer,

    constraint claim_pkey primary key (claim_id)
) with (fillfactor = 60);

comment on table symphony.claim is
'One row for each batch handed to a worker. The newest of a lane is the lane''s position.';
comment on column symphony.claim.claim_id is 'What a worker settles its messages by.';
comment on column symphony.claim.claimed_at is 'When the batch was handed out.';
comment on column symphony.claim.lease_until is
'Until then the worker holds it; extend_lease() moves it.';
comment on column symphony.claim.finished_at is
'When its last message was settled; null: some are open.';
comment on column symphony.claim.partial_txid is
'The transaction this claim ended in the middle of.';
comment on column symphony.claim.partial_message_id is
'The last message handed out of that transaction.';
comment on column symphony.claim.lane_id is 'The lane all of its messages come from.';
comment on column symphony.claim.size is
'Messages handed out; 0: a position set by create_queue() or purge_queue().';
comment on column symphony.claim.retried is 'Of these, messages that failed and will be retried.';
comment on column symphony.claim.failed is 'Of these, messages that failed for good.';
comment on column symphony.claim.returned is
'Of these, messages given back: released, or by the end of the lease.';
comment on column symphony.claim.waited is
'Mean time the messages had been due when they were claimed, in seconds.';
comment on column symphony.claim.worker is 'Who claimed it, as it named itself.';
comment on column symphony.claim.ahead is
'Transactions whose messages were still to be handed out after this claim.';
comment on column symphony.claim.open_ids is 'Messages of the claim that are not settled.';
comment on column symphony.claim.renewed_at is
'When tick() began its lease anew, since nobody could have done so, or moved it, since the clock was set '
'back; null: never, or its worker did so later.';
comment on column symphony.claim.keys is
'The key of each message that was handed out, in order, if keys are limited; empty: there are other limits; '
'null: there was no gate.';
comment on column symphony.claim.holds is
'True: a message that holds its key is among them; see held_key.';
comment on column symphony.claim.first_place is
'What is parked of its keys has this place or a greater one, unless some of it was given back; null: it is '
'not known.';

comment on column symphony.claim.passed is
'How many messages are pending no longer since this claim, where that is not its size: what it parked, or '
'purge_queue() dropped, counts too, and what had been parked does not.';
comment on column symphony.claim.put_back is
'How many of the messages given back had to wait for their keys again: they came in again, and were not '
'pending; null: no message had to.';

create index claim_lane_idx on symphony.claim (lane_id, claim_id);
create index claim_lease_idx on symphony.claim (lease_until);
create index claim_removal_idx on symphony.claim (lane_id, claim_id) where size = 0 and keys is null;

comment on index symphony.claim_lane_idx is 'Serves claim_batch(): the newest claim of a lane.';
comment on index symphony.claim_removal_idx is
'Serves list_messages(): the positions that purge_queue() has set. It is small, and no claim of a worker '
'is written to it.';
comment on index symphony.claim_lease_idx is
'Serves tick(): leases that ended. It has no predicate on open_ids, so that an ack stays a '
'heap-only update.';


create type symphony.claimed_message as (
    claim_id     bigint,
    message_id   bigint,
    queue_name   text,
    message_type text,
    body         jsonb,
    headers      jsonb,
    priority     integer,
    attempt      integer,
    max_attempts integer,
    group_key    text,
    enqueued_at  timestamptz,
    lease_until  timestamptz,
    alone        boolean,
    has_more     boolean,
    ordered      boolean,
    next_at      timestamptz
);

comment on type symphony.claimed_message is
'A message in the hands of a worker, as claim_batch() tells it; so do the functions that it is made of.';
