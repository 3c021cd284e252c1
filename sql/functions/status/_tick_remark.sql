create or replace function symphony._tick_remark()
returns text
language sql
stable
as $$
    select coalesce(
        'symphony.tick() is in the hands of ' operator(pg_catalog.||) symphony._turn_holder('tick'),
        'nothing calls symphony.tick(): start a worker or a cron job for it')
$$;

comment on function symphony._tick_remark is
$$Why nothing ticks, as the end of a sentence for why_not_running().

Access     private$$;
