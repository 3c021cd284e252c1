create or replace function symphony.cron_next(
    expression text,
    after      timestamptz,
    timezone   text default 'UTC',
    hash_key   text default ''
)
returns timestamptz
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
/*
 * Runs are times on the zone's clocks.  When those are changed:
 *   - runs that fall in the skipped time are made up for by one, at the first
 *     instant after it; a job of every hour has none to make up for;
 *   - in the repeated time a job runs the first time round; a frequent job, its
 *     minute or hour beginning with * or H/, runs both times.
 */
declare
    v_clock timestamp;
    v_cron  record;
    v_at    record;
    v_turn  timestamp;
    v_next  timestamp;
    v_period bigint;
begin
    ...
end;
$$;
