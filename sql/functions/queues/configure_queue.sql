create or replace function symphony.configure_queue(
    queue_name         text,
    max_attempts       integer default null,
    retry_delay        interval default null,
    retry_multiplier   double precision default null,
    retry_max_delay    interval default null,
    retry_jitter       double precision default null,
    lease              interval default null,
    retention          interval default null,
    max_body_bytes     integer default null,
    idempotency_window interval default null,
    failed_retention   interval default null,
    max_snooze         interval default null,
    ordered            boolean default null,
    key_concurrency    integer default null,
    concurrency        integer default null,
    on_failure         text default null,
    rate               text default null,
    burst              integer default null,
    key_rate           text default null
)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_constraint text;
    v_before     jsonb;
    v_after      jsonb;
    v_rate       text := symphony._checked_rate('rate', rate);
    v_key_rate   text := symphony._checked_rate('key_rate', key_rate);
begin
    select to_jsonb(q) into v_before
    from symphony.queue as q
    where q.queue_name = configure_queue.queue_name
    for no key update;
    update symphony.queue as q
    set max_attempts       = coalesce(configure_queue.max_attempts, q.max_attempts),
        retry_delay        = coalesce(configure_queue.retry_delay, q.retry_delay),
        retry_multiplier   = coalesce(configure_queue.retry_multiplier, q.retry_multiplier),
        retry_max_delay    = coalesce(configure_queue.retry_max_delay, q.retry_max_delay),
        retry_jitter       = coalesce(configure_queue.retry_jitter, q.retry_jitter),
        lease              = coalesce(configure_queue.lease, q.lease),
        retention          = coalesce(configure_queue.retention, q.retention),
        max_body_bytes     = coalesce(configure_queue.max_body_bytes, q.max_body_bytes),
        idempotency_window = coalesce(configure_queue.idempotency_window, q.idempotency_window),
        failed_retention   = nullif(coalesce(configure_queue.failed_retention, q.failed_retention), '0'),
        max_snooze         = coalesce(configure_queue.max_snooze, q.max_snooze),
        ordered            = coalesce(configure_queue.ordered, q.ordered),
        key_concurrency    = nullif(coalesce(configure_queue.key_concurrency, q.key_concurrency), 0),
        concurrency        = nullif(coalesce(configure_queue.concurrency, q.concurrency), 0),
        on_failure         = coalesce(configure_queue.on_failure, q.on_failure),
        rate               = nullif(coalesce(v_rate, q.rate), '0'),
        burst              = nullif(coalesce(configure_queue.burst, case when v_rate is distinct from '0'
                                                                         then q.burst end), 0),
        key_rate           = nullif(coalesce(v_key_rate, q.key_rate), '0')
    where q.queue_name = configure_queue.queue_name
    returning to_jsonb(q) into v_after;
    if not found then
        perform symphony._refuse_queue(configure_queue.queue_name);
    elsif v_after <> v_before then
        perform symphony._audit('configure_queue', jsonb_build_object('queue_name', queue_name) || (
            select jsonb_object_agg(a.key, a.value) from jsonb_each(v_after) as a
            where a.value is distinct from v_before -> a.key));
    end if;
    if configure_queue.max_body_bytes is not null then
        perform from symphony.lane    -- waits for a lane that _lane_alone() is about to make
        where lane.queue_name = configure_queue.queue_name
        order by lane.lane_id
        for no key update;
        update symphony.lane
        set max_body_bytes = configure_queue.max_body_bytes
        where lane.queue_name = configure_queue.queue_name
          and lane.max_body_bytes not in (0, configure_queue.max_body_bytes);
    end if;
    if exists (select from unnest('{ordered,key_concurrency,concurrency,rate,burst,key_rate}'::text[]) as s
               where v_before -> s <> v_after -> s)
    then
        perform symphony._change_limits(queue_name);
    end if;
exception
    when check_violation then
        get stacked diagnostics v_constraint = constraint_name;
        raise exception 'a setting of queue "%" is out of range', configure_queue.queue_name
            using errcode = '22023',
                  detail  = (
                      select format('%s: %s.', v_constraint, pg_get_constraintdef(oid))
                      from pg_constraint
                      where conname = v_constraint and conrelid = 'symphony.queue'::regclass),
                  hint    = 'No setting was changed. Correct this one.';
end;
$$;

comment on function symphony.configure_queue is
$$Change settings of a queue. They count for every message from now on.

Arguments  queue_name - the queue
           max_attempts - as for create_queue(); null, here and below: it stays as it is
           retry_delay, retry_multiplier, retry_max_delay, retry_jitter, lease, retention,
               max_body_bytes, idempotency_window - as for create_queue()
           failed_retention - as for create_queue(); 0: for ever
           max_snooze - as for create_queue()
           ordered - as for create_queue()
           key_concurrency - as for create_queue(); 0: no limit
           concurrency - as for create_queue(); 0: no limit
           on_failure - as for create_queue()
           rate, key_rate - as for create_queue(); 0: no limit
           burst - as for create_queue(); 0: as many as the rate names
Raises     SY001 unknown_queue
           SY011 wrong_isolation_level - a limit is changed
           22023 invalid_parameter_value - the detail names the setting and its range
Writes     symphony.queue, symphony.lane, symphony.audit, and what _change_limits() writes
Locks      the queue; its lanes, if it is made ordered or a limit is changed
Access     operator$$;
