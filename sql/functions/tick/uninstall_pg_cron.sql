create or replace function symphony.uninstall_pg_cron()
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_found boolean := false;
begin
    if exists (select from pg_extension where extname = 'pg_cron') then
        execute 'select count(cron.unschedule(jobid)) > 0 from cron.job where jobname = $1'
        into v_found using 'symphony-tick';
    end if;
    if v_found then
        perform symphony.note('uninstall_pg_cron()');
    end if;
    return v_found;
end;
$$;

comment on function symphony.uninstall_pg_cron is
$$Undo install_pg_cron().

Returns    whether there was such a job
Writes     cron.job
Access     operator, who may use pg_cron$$;
