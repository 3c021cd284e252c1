create or replace function symphony._may_notify()
returns boolean
language sql
volatile
as $$
    /* A queue that is full fails every transaction that notifies, at its commit. */
    select pg_catalog.pg_notification_queue_usage() operator(pg_catalog.<) 0.5
$$;

comment on function symphony._may_notify is
$$Whether the server's queue of notifications, which all databases share, is less than half full.

Access     private$$;
