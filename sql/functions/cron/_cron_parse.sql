create or replace function symphony._cron_parse(
    expression text,
    hash_key   text,
    out fields      text[],
    out seconds     integer[],
    out minutes     integer[],
    out hours       integer[],
    out days        integer[],
    out months      integer[],
    out weekdays    integer[],
    out either_day  boolean,
    out is_frequent boolean
)
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
/*
 * The first character tells, as in Vixie cron, whether a field is restricted: with a star it
 * is not, even if a step follows.  H/2 is a star with step 2 that starts elsewhere.
 */
declare
    c_unrestricted constant text := '^([*?]|H/)';
    v_text text collate "C" := btrim(upper(expression collate "C"), e' \t\r\n');
begin
    v_text := case v_text
        when '@HOURLY' then '0 * * * *'
        when '@DAILY' then '0 0 * * *'
        when '@MIDNIGHT' then '0 0 * * *'
        when '@WEEKLY' then '0 0 * * 0'
        when '@MONTHLY' then '0 0 1 * *'
        when '@YEARLY' then '0 0 1 1 *'
        when '@ANNUALLY' then '0 0 1 1 *'
        else v_text
    end;
    if v_text like '@%' then
        perform symphony._cron_reject('shorthand', v_text, 'There is no such shorthand.');
    end if;
    fields := regexp_split_to_array(v_text, '\s+');
    if cardinality(fields) = 5 then
        fields := '0'::text || fields;
    elsif cardinality(fields) <> 6 then
        raise exception 'invalid cron expression "%"', expression
            using errcode = '22023',
                  detail  = format('It has %s fields.', cardinality(array_remove(fields, ''))),
                  hint    = 'Write five fields (minute, hour, day of month, month, weekday), '
                            'six with the second in front, or a shorthand such as @daily.';
    end if;
    seconds  := symphony._cron_field('second', 0, 59, fields[1], hash_key);
    minutes  := symphony._cron_field('minute', 0, 59, fields[2], hash_key);
    hours    := symphony._cron_field('hour', 0, 23, fields[3], hash_key);
    days     := symphony._cron_field('day of month', 1, 31, fields[4], hash_key);
    months   := symphony._cron_field('month', 1, 12, fields[5], hash_key);
    weekdays := symphony._cron_field('weekday', 0, 6, fields[6], hash_key);
    either_day  := fields[4] !~ c_unrestricted and fields[6] !~ c_unrestricted;
    is_frequent := fields[2] ~ c_unrestricted or fields[3] ~ c_unrestricted;
end;
$$;

comment on function symphony._cron_parse is
$$Read a cron expression.

Arguments  expression - five or six fields or a shorthand, but not @every
           hash_key - what H is drawn from
Returns    one row. Each list has the values that its field allows, ascending
           fields - the six, as written
           days - 0 is the last day of the month, -n the n-th before it; 100 + n is the Monday to
               Friday nearest to the n-th, and 100 the last of these
           weekdays - 0 to 6 for Sunday to Saturday; with 10 * n added only the n-th in the month,
               with 60 added only the last
           either_day - true: day of month or weekday suffices
           is_frequent - true: minute or hour begins with * or H/
Raises     22023 invalid_parameter_value
Access     private$$;
