create or replace function symphony._worker_remark(queue_name text, now timestamptz)
returns text
language plpgsql
stable
as $$
begin
    if not exists (
        select from symphony.worker
        where _worker_remark.queue_name = any (worker.queues)
          and worker.seen_at > _worker_remark.now - interval '60 seconds')
    then
        return format('No worker consumes queue "%s": symphony-pg consume %s --app module:app',
                      queue_name, queue_name);
    end if;
    if not exists (
        select from symphony.worker
        where _worker_remark.queue_name = any (worker.queues)
          and worker.seen_at > _worker_remark.now - interval '60 seconds' and worker.request is null)
    then
        return format('The workers of queue "%s" are paused or stop: symphony-pg workers list', queue_name);
    end if;
    return null;
end;
$$;

comment on function symphony._worker_remark(text, timestamptz) is
$$Why nobody takes messages of a queue, as a sentence for why_not_running().

Arguments  queue_name
           now
Returns    null: some worker does
Access     private$$;

revoke execute on function symphony._worker_remark(text, timestamptz) from public;
