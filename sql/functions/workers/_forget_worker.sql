create or replace function symphony._forget_worker(worker text)
returns void
language plpgsql
volatile
as $$
begin
    perform symphony._set_idle(
        array(select distinct idle_worker.queue_name
              from symphony.idle_worker
              where _forget_worker.worker = any (idle_worker.workers)),
        _forget_worker.worker, false);
    delete from symphony.worker as known where known.worker = _forget_worker.worker;
end;
$$;

comment on function symphony._forget_worker(text) is
$$A worker has ended, or is silent: it is not listed and not notified any more.

Arguments  worker - its name
Writes     symphony.worker, symphony.idle_worker
Access     private$$;

revoke execute on function symphony._forget_worker(text) from public;
