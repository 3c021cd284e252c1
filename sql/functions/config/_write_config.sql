create or replace function symphony._write_config(config jsonb)
returns void
language plpgsql
volatile
as $$
declare
    v_name   text;
    v        jsonb;
    v_queue  symphony.queue;
    v_policy symphony.retry_policy;
begin
    perform symphony._check_config(config);
    for v_name, v in select key, value from jsonb_each(config -> 'queues') loop
        v_queue := jsonb_populate_record(null::symphony.queue, v);
        perform symphony.create_queue(
            v_name, v_queue.max_attempts, v_queue.retry_delay, v_queue.retry_multiplier,
            v_queue.retry_max_delay, v_queue.retry_jitter, v_queue.lease, v_queue.retention,
            v_queue.max_body_bytes, v_queue.idempotency_window, v_queue.failed_retention,
            v_queue.max_snooze, v_queue.ordered, v_queue.key_concurrency, v_queue.concurrency,
            v_queue.on_failure, v_queue.rate, v_queue.burst, v_queue.key_rate);
    end loop;
    for v_name, v in select key, value from jsonb_each(config -> 'transports') loop
        if coalesce(v ->> 'type', 'postgres') = 'postgres' then
            perform symphony.create_queue(coalesce(v ->> 'queue', 'default'));
        end if;
        perform symphony.create_transport(v_name, v ->> 'type', v ->> 'queue',
                                          (v ->> 'priority')::integer, coalesce(v -> 'config', '{}'));
        if v ? 'enabled' then
            perform symphony._set_enabled(v_name, (v ->> 'enabled')::boolean);
        end if;
    end loop;

    if config ? 'routing' then
        perform symphony.set_routes(known.pattern, '[]')
        from (select distinct route.pattern from symphony.route) as known
        where not _write_config.config -> 'routing' ? known.pattern;
        perform symphony.set_routes(key, value) from jsonb_each(config -> 'routing');
    end if;
    if config ? 'transports' then
        perform symphony.remove_transport(t.transport_name)
        from symphony.transport as t
        where not _write_config.config -> 'transports' ? t.transport_name;
    end if;

    if config ? 'retry' then
        perform symphony.remove_retry_policy(p.pattern)
        from symphony.retry_policy as p
        where not _write_config.config -> 'retry' ? p.pattern;
        for v_name, v in select key, value from jsonb_each(config -> 'retry') loop
            v_policy := jsonb_populate_record(null::symphony.retry_policy, v);
            perform symphony.set_retry_policy(
                v_name, v_policy.max_attempts, v_policy.delay, v_policy.multiplier,
                v_policy.max_delay, v_policy.jitter, v_policy.permanent_errors,
                v_policy.transient_errors, v_policy.retry_after_errors, v_policy.snooze_errors);
        end loop;
    end if;
end;
$$;

comment on function symphony._write_config is
$$Bring queues, transports, routes and retry policies to a wanted state.

Arguments  config - as for apply_config()
Raises     what apply_config() raises
Writes     symphony.queue, symphony.transport, symphony.route, symphony.retry_policy
Access     private$$;
