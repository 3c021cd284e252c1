create or replace function symphony._cron_check(expression text, after timestamptz, timezone text)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
/*
 * PostgreSQL also takes +02, UTC+2 (by the rules of POSIX: west of Greenwich) and
 * CET (winter the whole year), which hardly anyone means.
 */
declare
    v_is_zone boolean := timezone ~ '/' or timezone ~* '^(utc|gmt)$' or (
        timezone ~ '^[A-Za-z]' and timezone !~ '[0-9]$'
        and not exists (select from pg_timezone_abbrevs where abbrev = upper(timezone)));
begin
    if expression is null then
        raise exception 'the cron expression is null'
            using errcode = '22023',
                  detail  = 'There is no schedule to follow.',
                  hint    = 'Write for example 0 9 * * mon-fri.';
    elsif after is null or not isfinite(after) then
        raise exception 'the argument after is %', coalesce(after::text, 'null')
            using errcode = '22023',
                  detail  = 'That is not a moment in time.',
                  hint    = 'Give a moment such as now().';
    end if;
    if v_is_zone then
        begin
            perform after at time zone timezone;
        exception
            when invalid_parameter_value then
                v_is_zone := false;
        end;
    end if;
    if v_is_zone is not true then
        raise exception 'unknown time zone "%"', coalesce(timezone, '(null)')
            using errcode = '22023',
                  detail  = 'A time zone is given by its name, not by an offset or abbreviation.',
                  hint    = 'Write UTC or a name of pg_timezone_names such as Europe/Paris; '
                            'two hours east of Greenwich the whole year is Etc/GMT-2.';
    end if;
end;
$$;

comment on function symphony._cron_check is
$$Refuse arguments from which no run can be computed. The expression is read elsewhere.

Arguments  as for cron_next()
Raises     22023 invalid_parameter_value
Access     private$$;
