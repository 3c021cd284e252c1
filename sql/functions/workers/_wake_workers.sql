create or replace function symphony._wake_workers(lane_ids integer[], messages integer default null)
returns void
language plpgsql
volatile
as $$
/* An old snapshot does not see who has fallen asleep since, or has woken: then all are notified. */
declare
    v_is_old boolean := current_setting('transaction_isolation') not like 'read%';
begin
    perform symphony._notify(woken.queue_name, case
        when messages > 0 and cardinality(lane_ids) = 1 and not v_is_old
        then symphony._called_workers(lane_ids[1], newest.workers, messages)
        else '' end)
    from (
        select distinct lane.queue_name
        from symphony.lane
        where lane.lane_id = any (_wake_workers.lane_ids)
    ) as woken
    left join lateral (
        select idle_worker.workers
        from symphony.idle_worker
        where idle_worker.queue_name = woken.queue_name
        order by idle_worker.idle_id desc
        limit 1
    ) as newest on true
    where newest.workers <> '{}' or v_is_old;
end;
$$;

comment on function symphony._wake_workers is
$$Notify workers that sleep until something comes to one of these lanes: as many as there is work for.

Arguments  lane_ids - null: does nothing
           messages - how many have come; null: some are delayed, or it is not known
Writes     NOTIFY on symphony:<queue>, when the transaction commits
Access     private$$;
