/*
 * A broker carries only messages that are ready; everything with a memory stays here.
 *
 *   enqueue() --> outbox/orders --relay--> broker --consumer--> done: nothing is written here
 *                 (a queue)                            |
 *                     ^                                | failed: return_delivery()
 *                     |                                v
 *                     '-- tick() -- delayed_message <--'--> failed_message
 *
 * The outbox is a queue like any other, so a message that is forwarded is one that was claimed and
 * acknowledged: by a relay, once the broker had confirmed it.  When its handler fails it comes home
 * with the same id, before the broker forgets it.
 */
create table symphony.inbox (
    transport_name text not null,
    message_key    text not null,
    received_at    timestamptz not null,

    constraint inbox_pkey primary key (transport_name, message_key)
);

comment on table symphony.inbox is
'Deliveries of brokers whose effect is committed, and will not take place again: see first_receipt().';
comment on column symphony.inbox.transport_name is 'The transport that it came by.';
comment on column symphony.inbox.message_key is
'The id of the message; for one that is not of Symphony, the broker''s.';
comment on column symphony.inbox.received_at is 'When it was received.';

create index inbox_received_idx on symphony.inbox (received_at);

comment on index symphony.inbox_received_idx is 'Serves purge(), which removes rows after their retention.';
