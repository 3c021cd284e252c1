create or replace function symphony._access_list()
returns table (function_name text, access text, by_queue boolean)
language sql
immutable
as $$
    /* What has to do with no single queue is not granted by queue, and tick() does only what is due. */
    select named.function_name, listed.access,
           listed.access operator(pg_catalog.<>) all ('{operator,observer}'::text[])
           and named.function_name operator(pg_catalog.<>) all (
               '{create_schedule,schedule_diff,sync_schedules,schedule_preview,route_of,
                 reserve_message_ids}'::text[])
    from (values
        ('enqueuer', '{enqueue, enqueue_batch}'::text[]),
        ('producer', '{enqueue, enqueue_batch, cancel, create_schedule, schedule_diff,
            sync_schedules, schedule_preview, cron_next, cron_upcoming, clock_changes,
            message_status, why_not_running, route_of, reserve_message_ids, origin, version}'),
        ('consumer', '{claim_batch, ack, nack_with_backoff, snooze, extend_lease, release,
            release_unheard, return_delivery, first_receipt, tick, purge, tick_schedules, heartbeat,
            stop_worker, list_queues,
            waiting_types, idle, busy,
            sync_handlers, message_status, why_not_running, origin, version}'),
        ('operator', '{audit, note, list_messages, recent_errors, queue_settings, queue_holds, create_queue,
            configure_queue, pause_queue, resume_queue, purge_preview, purge_queue, drop_queue,
            queue_stats, queue_figures, queue_totals, type_figures, figures_by_minute,
            list_queues, waiting_types, blocked_keys, release_key, worker_activity,
            request_workers, failed_messages, failed_stats, retry_failed, retry_many_failed,
            remove_failed, remove_many_failed, message_history, tick, purge, tick_schedules,
            tick_for, create_schedule, pause_schedule, resume_schedule, remove_schedule,
            run_schedule_now, run_message_now, schedule_status,
            schedule_runs, schedule_diff, sync_schedules, schedule_preview, cron_next,
            cron_upcoming, clock_changes, install_pg_cron, uninstall_pg_cron, message_status,
            why_not_running, obstacles, health, metrics, check, rebase, grant_access, revoke_access,
            restore_access, list_access, origin, version, create_transport, enable_transport,
            disable_transport, remove_transport, set_routes, route_of, sync_handlers,
            remove_handler, set_retry_policy, remove_retry_policy, retry_policy_of, apply_config,
            list_transports, transport_status, list_routes, list_retry_policies}'),
        ('observer', '{audit, list_messages, recent_errors, queue_settings, queue_holds, queue_stats,
            purge_preview, queue_figures, queue_totals, type_figures, figures_by_minute,
            list_queues, waiting_types, blocked_keys, worker_activity, failed_messages, failed_stats,
            message_history, message_status, why_not_running, schedule_status, schedule_runs,
            schedule_diff, schedule_preview, cron_next, cron_upcoming, clock_changes, check,
            obstacles, health, metrics, list_access, origin, version,
            route_of, retry_policy_of, list_transports,
            transport_status, list_routes, list_retry_policies}')
    ) as listed (access, functions)
    cross join lateral pg_catalog.unnest(listed.functions) as named (function_name)
$$;

comment on function symphony._access_list is
$$Which functions grant_access() grants to whom. The contract of each function says the same.

Returns    function_name - the function
           access - the access that includes it
           by_queue - true: also if that is granted for some queues only. The function itself then
               looks at whether the queue is one of them
Access     private$$;
