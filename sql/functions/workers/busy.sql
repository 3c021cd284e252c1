create or replace function symphony.busy(worker text)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
begin
    if not symphony._is_limited() or symphony._may_speak_for(busy.worker) then
        perform symphony._set_idle(symphony._sleeps_at(busy.worker), busy.worker, false);
    end if;
end;
$$;

comment on function symphony.busy is
$$Take idle() back: the worker will not claim for a while, or does so without being notified.

Arguments  worker - the name it claims with
Writes     symphony.idle_worker, if that is news
Access     consumer$$;
