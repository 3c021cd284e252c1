create or replace function symphony._purge_others(
    now     timestamptz,
    at_most integer,
    out failed   integer,
    out has_more boolean
)
language plpgsql
volatile
as $$
declare
    v_keys    integer;
    v_runs    integer;
    v_ticks   integer;
    v_audits  integer;
    v_inbox   integer;
    v_workers integer;
    v_paces   integer;
begin
    failed := symphony._purge_failed(now, at_most);

    delete from symphony.idempotency_key as free
    using (select k.queue_name, k.key
           from symphony.idempotency_key as k
           where k.expires_at <= _purge_others.now
           order by k.expires_at
           limit at_most
           for update skip locked) as known
    where free.queue_name = known.queue_name and free.key = known.key;
    get diagnostics v_keys = row_count;

    delete from symphony.schedule_run as r
    using (select old.schedule_name, old.scheduled_at
           from symphony.schedule_run as old
           where old.fired_at < _purge_others.now - interval '30 days'
           order by old.fired_at
           limit at_most
           for update skip locked) as known
    where r.schedule_name = known.schedule_name and r.scheduled_at = known.scheduled_at;
    get diagnostics v_runs = row_count;

    delete from symphony.tick
    where tick.tick_id in (
        select old.tick_id
        from symphony.tick as old
        where old.tick_id < coalesce(
            (select young.tick_id from symphony.tick as young
             where young.ticked_at >= _purge_others.now - interval '1 hour'
             order by young.tick_id
             limit 1), 9223372036854775807)
        order by old.tick_id
        limit at_most
        for update skip locked);
    get diagnostics v_ticks = row_count;

    delete from symphony.audit
    where audit.audit_id in (
        select old.audit_id
        from symphony.audit as old
        where old.done_at < _purge_others.now - interval '1 year'
        order by old.done_at
        limit at_most);
    get diagnostics v_audits = row_count;

    delete from symphony.key_pace as k
    using (select full_again.pace_id, full_again.queue_name, full_again.group_key
           from symphony.key_pace as full_again
           where full_again.full_at <= _purge_others.now and full_again.next_at is null
           order by full_again.full_at
           limit at_most
           for update skip locked) as known
    where k.queue_name = known.queue_name and k.group_key = known.group_key and k.pace_id = known.pace_id;
    get diagnostics v_paces = row_count;

    perform symphony._purge_gates();
    v_inbox := symphony._purge_inbox(now, at_most);
    v_workers := symphony._purge_workers(now, 100);
    has_more := greatest(failed, v_keys, v_runs, v_ticks, v_audits, v_paces, v_inbox) >= at_most
                or v_workers >= 100;
end;
$$;

comment on function symphony._purge_others is
$$Remove what has been kept for long enough and is not in the log: failed messages, idempotency keys,
runs of schedules, ticks, the audit of a year ago, what was kept for the rates of keys, gates of
queues without limits, the inbox of brokers, silent workers.

Arguments  now
           at_most - how many of each; of workers a hundred, since each may sleep at a thousand
               queues
Returns    failed - how many failed messages were removed
           has_more - whether others may be left
Writes     what purge() writes, without the log
Access     private$$;
