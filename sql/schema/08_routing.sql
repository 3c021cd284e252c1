/*
 * Where a message goes, and how often it is tried again.
 *
 *   message type ──route──► transport ──► queue and priority
 *                └─handler──► one delivery for each
 *
 * A pattern is a message type (SendEmail), a group of them (orders.*), or all (*).  The type
 * itself wins, then the longest group, then *; all routes of the winning pattern apply.  Without
 * a route a message goes to the queue "default".  A message that is enqueued into a named queue
 * takes no route.
 *
 * Each delivery is a message of its own, with its own attempts: the retry of one does not run
 * the others again.
 */
create table symphony.transport (
    transport_name text not null,
    transport_type text not null,
    queue_name     text,
    priority       smallint,
    config         jsonb not null,
    enabled        boolean not null default true,
    created_at     timestamptz not null default clock_timestamp(),
    updated_at     timestamptz not null default clock_timestamp(),
    disabled_at    timestamptz,
    disabled_by    text,

    constraint transport_pkey primary key (transport_name),
    constraint transport_queue_name_fkey foreign key (queue_name) references symphony.queue (queue_name),
    constraint transport_name_is_plain check (transport_name ~ '^[A-Za-z0-9_.:/-]{1,48}$'),
    constraint transport_type_is_known
        check (transport_type in ('postgres', 'sync', 'redis', 'rabbitmq', 'sqs')),
    constraint transport_has_a_queue check ((transport_type = 'sync') = (queue_name is null)),
    constraint transport_priority_is_a_digit check (priority between 0 and 9),
    constraint transport_config_is_an_object check (jsonb_typeof(config) = 'object'),
    constraint transport_that_holds_has_a_queue check (enabled or transport_type <> 'sync')
);

comment on table symphony.transport is 'The names that routes lead to; see create_transport().';
comment on column symphony.transport.transport_name is '1 to 48 letters, digits and _ . : / -';
comment on column symphony.transport.transport_type is
'postgres: a queue of this database; sync: the handler runs in the process that dispatches; redis, rabbitmq '
'and sqs: a broker, which a relay forwards the messages of its queue to (see 13_brokers.sql).';
comment on column symphony.transport.queue_name is
'The queue its messages go into, that of a broker is its outbox; a sync transport has no queue.';
comment on column symphony.transport.priority is
'Priority of its messages, unless enqueue() is given one; null: 5.';
comment on column symphony.transport.config is
'Whatever clients want to know about it; for a broker what _check_transport_config() knows, and no secrets.';
comment on column symphony.transport.enabled is
'False: it takes messages and holds them; see disable_transport().';
comment on column symphony.transport.created_at is 'When it was created.';
comment on column symphony.transport.updated_at is
'When it was last changed, enabled or disabled.';
comment on column symphony.transport.disabled_at is 'Since when it is disabled; null: it is not.';
comment on column symphony.transport.disabled_by is 'Who disabled it, as _signature() says.';


create table symphony.route (
    route_id       bigint generated always as identity,
    pattern        text not null,
    transport_name text not null,
    handler_name   text,

    constraint route_pkey primary key (route_id),
    constraint route_key unique nulls not distinct (pattern, transport_name, handler_name),
    constraint route_transport_name_fkey
        foreign key (transport_name) references symphony.transport (transport_name)
);

comment on table symphony.route is 'Which message types go to which transports; see set_routes().';
comment on column symphony.route.route_id is 'Order of the deliveries.';
comment on column symphony.route.pattern is 'A message type, a group such as orders.*, or *.';
comment on column symphony.route.transport_name is 'Where they go.';
comment on column symphony.route.handler_name is
'The handler that works on them there; null: each that no other route of the pattern names.';


create table symphony.handler (
    handler_id   bigint generated always as identity,
    message_type text not null,
    handler_name text not null,

    constraint handler_pkey primary key (handler_id),
    constraint handler_key unique (message_type, handler_name)
);

comment on table symphony.handler is
'Message types that several handlers work on: each gets a delivery; see sync_handlers().';
comment on column symphony.handler.handler_id is 'Order of the deliveries.';
comment on column symphony.handler.message_type is 'The type.';
comment on column symphony.handler.handler_name is
'Name of the handler; the header "handler" of its deliveries.';


/*
 * How a message is retried is told by four levels, each value by the first of them that has
 * it: enqueue(retry => ...), the policy of the message type, the queue, and the policy *.
 *
 * What becomes of a class of errors is told by what reports the error, else by the policy of the
 * message type, else by the policy *; see _error_rule().
 */
create table symphony.retry_policy (
    pattern          text not null,
    max_attempts     integer,
    delay            interval,
    multiplier       double precision,
    max_delay        interval,
    jitter           double precision,
    permanent_errors text[] not null default '{}',
    transient_errors text[] not null default '{}',
    retry_after_errors jsonb not null default '{}',
    snooze_errors    jsonb not null default '{}',

    constraint retry_policy_pkey primary key (pattern),
    constraint retry_policy_waits_are_objects
        check (jsonb_typeof(retry_after_errors) = 'object' and jsonb_typeof(snooze_errors) = 'object'),
    constraint retry_policy_default_is_whole
        check (pattern <> '*' or num_nulls(max_attempts, delay, multiplier, max_delay, jitter) = 0)
);

comment on table symphony.retry_policy is
'How messages of a type are retried, and in * how all others are; see set_retry_policy().';
comment on column symphony.retry_policy.pattern is
'A message type, a group such as orders.*, or * for the defaults.';
comment on column symphony.retry_policy.max_attempts is
'Deliveries a message gets before it fails for good; null, here and below: as the queue or * says.';
comment on column symphony.retry_policy.delay is 'Wait before the second attempt.';
comment on column symphony.retry_policy.multiplier is
'Factor by which the wait grows with each attempt.';
comment on column symphony.retry_policy.max_delay is 'The longest wait, before jitter.';
comment on column symphony.retry_policy.jitter is 'Random share of the wait, up or down.';
comment on column symphony.retry_policy.permanent_errors is
'Classes of errors that no retry can cure: their full name, or the part after its last dot.';
comment on column symphony.retry_policy.transient_errors is
'Classes of errors that are retried as usual, though a class they derive from, or *, says otherwise.';
comment on column symphony.retry_policy.retry_after_errors is
'Classes of errors that are retried after a wait of their own: {"shop.Throttled": "1 minute"}.';
comment on column symphony.retry_policy.snooze_errors is
'Classes of errors that use no attempt, and the wait until the message comes back; see snooze().';

insert into symphony.retry_policy (pattern, max_attempts, delay, multiplier, max_delay, jitter)
values ('*', 4, '1 second', 2, '30 seconds', 0.1);
