create or replace function symphony.install_pg_cron()
returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
/*
 * Before 1.5 pg_cron knows no seconds, and with them it would log 86,400 runs a day.  It queues a job
 * that is due while its last run goes on, so one that ticks for a little more than a minute leaves
 * no gap.  Each run removes what pg_cron has logged of those of the day before.
 */
declare
    v_when text := '* * * * *';
    v_what text := $job$
do $tick$
begin
    call symphony.tick_for();
    delete from cron.job_run_details
    where jobid in (select jobid from cron.job where jobname = 'symphony-tick')
      and start_time < now() - interval '1 day';
end $tick$;
$job$;
begin
    if not exists (select from pg_extension where extname = 'pg_cron') then
        raise exception 'the extension pg_cron is not installed in database "%"', current_database()
            using errcode = '55000',
                  detail  = 'Schedules and delays do not need it: each worker calls symphony.tick().',
                  hint    = 'To have it tick without a worker: create extension pg_cron; in the '
                            'database that cron.database_name names.';
    end if;
    execute 'select cron.schedule($1, $2, $3)' using 'symphony-tick', v_when, v_what;
    perform symphony.note('install_pg_cron()');
    return format('%s: %s', v_when, v_what);
end;
$$;

comment on function symphony.install_pg_cron is
$$Have pg_cron call tick() every second, in this database.

Returns    the job: when and what
Raises     55000 object_not_in_prerequisite_state - pg_cron is not installed here
Writes     cron.job, as the calling role. The job removes its own rows of cron.job_run_details when
           they are older than a day
Access     operator, who may use pg_cron$$;
