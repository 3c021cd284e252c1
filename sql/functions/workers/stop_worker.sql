create or replace function symphony.stop_worker(worker text)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if not symphony._is_limited() or symphony._may_speak_for(stop_worker.worker) then
        delete from symphony.worker as known where known.worker = stop_worker.worker;
        perform symphony.busy(stop_worker.worker);
    end if;
end;
$$;

comment on function symphony.stop_worker is
$$Say that a worker has ended. It is not listed and not notified any more.

Arguments  worker - the name it claimed with
Writes     symphony.worker, symphony.idle_worker
Access     consumer$$;
