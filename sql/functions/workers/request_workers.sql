create or replace function symphony.request_workers(
    command    text,
    workers    text[] default null,
    queue_name text default null
)
returns setof text
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_unknown text;
    v_asked   text[];
begin
    if (command in ('stop', 'pause', 'resume')) is not true then
        raise exception 'command must be stop, pause or resume, not %', quote_nullable(command)
            using errcode = '22023',
                  detail  = 'No worker was asked for anything.',
                  hint    = 'Use stop to end workers as SIGTERM does; pause and resume to hold them.';
    end if;
    if request_workers.queue_name is not null then
        perform symphony._check_queues(array[request_workers.queue_name]);
    end if;
    select coalesce(wish, 'null') into v_unknown
    from unnest(workers) as wish
    where not exists (select from symphony.worker where worker.worker = wish)
    limit 1;
    if found then
        perform symphony._refuse_worker(v_unknown);
    end if;

    v_asked := array(
        select known.worker
        from symphony.worker as known
        where (workers is null or known.worker = any (workers))
          and (request_workers.queue_name is null or request_workers.queue_name = any (known.queues))
          and (command = 'stop' or known.request is distinct from 'stop')
        order by known.worker
        for update);
    update symphony.worker as known
    set request = nullif(command, 'resume'),
        requested_at = case when command <> 'resume' then symphony._now() end,
        requested_by = case when command <> 'resume' then symphony._signature() end
    where known.worker = any (v_asked);
    perform symphony._notify(first.queue_name, 'request')
    from (select distinct known.queues[1] as queue_name
          from symphony.worker as known where known.worker = any (v_asked)) as first;
    if v_asked <> '{}' then
        perform symphony._audit('request_workers', jsonb_build_object(
            'command', command, 'workers', workers, 'queue_name', queue_name), cardinality(v_asked));
    end if;
    return query select unnest(v_asked);
end;
$$;

comment on function symphony.request_workers is
$$Ask workers to stop, to pause, or to go on. Each hears it at its next heartbeat, and is notified.

Arguments  command - stop: end as by SIGTERM (claim no more, finish what runs, give back the rest);
               pause: claim nothing until resume; resume: claim again
           workers - their names; null: all
           queue_name - only those that consume this queue; null: whatever they consume
Returns    the workers that were asked, by name. One that was asked to stop is not asked to pause or
           to resume any more. A request ends with the worker's process
Raises     SY001 unknown_queue
           SY008 unknown_worker
           22023 invalid_parameter_value
Writes     symphony.worker, symphony.audit; NOTIFY on symphony:<queue>, when the transaction commits
Access     operator$$;
