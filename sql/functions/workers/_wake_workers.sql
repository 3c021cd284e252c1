create or replace function symphony._wake_workers(lane_ids integer[])
returns void
language plpgsql
volatile
as $$
/* An old snapshot does not see who has fallen asleep since: then all are notified. */
begin
    perform symphony._notify(woken.queue_name, '')
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
    where newest.workers <> '{}' or current_setting('transaction_isolation') not like 'read%';
end;
$$;

comment on function symphony._wake_workers(integer[]) is
$$Notify the workers that sleep until something comes to one of these lanes.

Arguments  lane_ids - null: does nothing
Writes     NOTIFY on symphony:<queue>, when the transaction commits
Access     private$$;

revoke execute on function symphony._wake_workers(integer[]) from public;
