/*
 * What people have done to queues and all that belongs to them, a row for each call that changed
 * something.  The way of a message leaves none: whoever enqueues, claims or settles writes no audit.
 *
 * Who it was is the role, which PostgreSQL has checked.  The actor is what the caller says of himself:
 * several people may share a role, and the setting symphony.actor tells them apart if they are honest.
 */
create table symphony.audit (
    audit_id    bigint generated always as identity,
    done_at     timestamptz not null,
    role_name   text not null,
    login_name  text not null,
    actor       text,
    application text,
    action      text not null,
    arguments   jsonb not null,
    affected    bigint,

    constraint audit_pkey primary key (audit_id)
);

comment on table symphony.audit is
'Who did what, and when. Rows are added and, after a year, removed by purge(); none is changed.';
comment on column symphony.audit.audit_id is 'Order of the rows.';
comment on column symphony.audit.done_at is 'When it was done.';
comment on column symphony.audit.role_name is 'The role that called; see _caller().';
comment on column symphony.audit.login_name is 'The role that had logged in.';
comment on column symphony.audit.actor is
'Who says to have done it: the setting symphony.actor of the session. A claim, not a proof.';
comment on column symphony.audit.application is 'The application_name of the session; a claim, too.';
comment on column symphony.audit.action is 'The function.';
comment on column symphony.audit.arguments is
'What it was called with, or what it changed. No bodies and no headers.';
comment on column symphony.audit.affected is 'How many things that concerned; null: not counted.';

create index audit_done_idx on symphony.audit (done_at);

comment on index symphony.audit_done_idx is 'Serves purge(), which removes rows that are a year old.';

/* So no function can change what was done: they all run as the owner. */
revoke update, truncate on symphony.audit from current_user;
