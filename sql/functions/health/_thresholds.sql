create or replace function symphony._thresholds(
    out tick       interval,
    out locked     interval,
    out waiting    interval,
    out busy       interval,
    out grows      interval,
    out silent     interval,
    out late       interval,
    out held       interval,
    out unknown    interval,
    out open       interval,
    out slot_bytes bigint,
    out notify     double precision,
    out dead_rows  bigint,
    out kept       interval,
    out disk_bytes bigint,
    out errors     integer,
    out times      integer
)
language sql
immutable
as $$
    select interval '10 seconds', interval '5 seconds', interval '30 seconds', interval '5 minutes',
           interval '5 minutes', interval '20 seconds', interval '30 seconds', interval '10 minutes',
           interval '5 minutes', interval '5 minutes', 1073741824::bigint, 0.1::double precision,
           10000::bigint, interval '1 year', 1073741824::bigint, 20, 3
$$;

comment on function symphony._thresholds is
$$From when on health() speaks of something. docs/runbook.md has them, too.

Returns    tick - without a tick: somebody ticks every second, and after 5 leases stand still
           locked - a lane that is locked: a claim takes milliseconds
           waiting - a message that waits for a worker: a deployment takes less
           busy - all slots of all workers of a queue: most handlers take less
           grows - a backlog: a peak is shorter
           silent - a worker that says nothing: a heartbeat comes every 5 seconds
           late - a schedule that did not run: somebody ticks every second
           held - a key that one message holds: its retries usually take less
           unknown - a message that no worker knows: a deployment takes less
           open - a transaction, prepared or not: what dies meanwhile cannot be removed
           slot_bytes - WAL that a slot keeps, and nobody reads: disks are larger than that
           notify - share of the NOTIFY queue: at half of it nobody is notified any more
           dead_rows - of a table, if they are also twice as many as autovacuum lets pass
           kept - a retention that is not less counts as none
           disk_bytes - of a queue without retention
           errors - of a class in 5 minutes: fewer may be an accident
           times - as many as in 5 minutes of the half hour before, so many times
Access     private$$;
