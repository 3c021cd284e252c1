/*
 * Everything Symphony owns lives in this one schema: drop it and Symphony is gone.
 * Nobody but the installer may touch the tables; functions are granted by grant_access().
 */
create schema symphony;

comment on schema symphony is
'Symphony, a message queue inside PostgreSQL. Start with enqueue(), claim_batch() and ack().';

revoke all on schema symphony from public;


create table symphony.release (
    release_id   bigint generated always as identity,
    version      text not null,
    installed_at timestamptz not null default clock_timestamp(),
    origin       uuid not null default gen_random_uuid(),

    constraint release_pkey primary key (release_id)
);

comment on table symphony.release is
'The versions that were installed here, in order; the newest row is the present one.';
comment on column symphony.release.release_id is 'Order of the installations.';
comment on column symphony.release.version is 'Version that was installed, such as 0.1.0.';
comment on column symphony.release.installed_at is 'When it was installed.';
comment on column symphony.release.origin is 'That of the first row is the one of this database: see origin().';


/*
 * A name does not tell who a role is: a role may be dropped, and another one be given its name; and the
 * number of a role says nothing on another server.  So both are kept.
 */
create table symphony.access (
    role_name text not null,
    access    text not null,
    role_oid  oid,
    queues    text[],

    constraint access_pkey primary key (role_name, access),
    constraint access_is_known
        check (access in ('enqueuer', 'producer', 'consumer', 'operator', 'observer')),
    constraint access_is_limited_where_it_can_be
        check (queues is null or access in ('enqueuer', 'producer', 'consumer'))
);

comment on table symphony.access is
'Which role was granted what by grant_access(); every installation and upgrade grants it again.';
comment on column symphony.access.role_name is 'The PostgreSQL role, by the name it had.';
comment on column symphony.access.access is 'enqueuer, producer, consumer, operator or observer.';
comment on column symphony.access.role_oid is
'The role, by its number on this server; null: the row was copied here from another one.';
comment on column symphony.access.queues is 'The queues it is for; null: all.';


/*
 * Positions count transactions, so they mean something only on the server that numbered them.
 * A physical copy, failover and pg_upgrade take the numbers along; a dump or logical replication
 * copies rows into new transactions.  These two rows tell which it was: the first is written
 * by a subtransaction, the second one after it by its parent, whose id is the smaller.
 * Whatever copies rows gives both the same xmin, or the second one the greater.
 */
create table symphony.server_mark (
    mark_id integer not null,

    constraint server_mark_pkey primary key (mark_id)
);

comment on table symphony.server_mark is
'Two rows by which Symphony knows that it was not copied here by a dump or by logical replication;'
' see _home().';
comment on column symphony.server_mark.mark_id is
'1: written first, by a subtransaction; 2: written last, by its parent.';
