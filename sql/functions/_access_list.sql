create or replace function symphony._access_list()
returns table (function_name text, access text)
language sql
immutable
as $$
    select pg_catalog.unnest(listed.functions), listed.access
    from (values
        ('producer', '{enqueue, enqueue_batch, cancel, create_schedule, schedule_preview, cron_next,
            cron_upcoming, message_status, why_not_running, version}'::text[]),
        ('consumer', '{claim_batch, ack, nack_with_backoff, extend_lease, release, tick,
            tick_schedules, heartbeat, stop_worker, list_queues, idle, busy, message_status,
            why_not_running, version}'),
        ('operator', '{create_queue, configure_queue, pause_queue, resume_queue, purge_queue,
            drop_queue, queue_stats, list_queues, worker_activity, request_workers, tick,
            tick_schedules, tick_for, create_schedule, pause_schedule, resume_schedule,
            remove_schedule, run_schedule_now, schedule_preview, cron_next, cron_upcoming,
            install_pg_cron, uninstall_pg_cron, message_status, why_not_running, check,
            grant_access, revoke_access, version}'),
        ('observer', '{queue_stats, list_queues, worker_activity, message_status, why_not_running,
            schedule_preview, cron_next, cron_upcoming, check, version}')
    ) as listed (access, functions)
$$;

comment on function symphony._access_list() is
$$Which functions grant_access() grants to whom. The contract of each function says the same.

Access     private$$;

revoke execute on function symphony._access_list() from public;
