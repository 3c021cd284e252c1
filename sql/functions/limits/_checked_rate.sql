create or replace function symphony._checked_rate(setting text, rate text)
returns text
language plpgsql
stable
as $$
declare
    v_messages numeric := substring(rate from '^\s*(\d{1,9})\s*/');
    v_period   text := substring(rate from '/\s*(.*\S)\s*$');
    v_seconds  numeric;
begin
    if rate ~ '^\s*0\s*$' then
        return '0';
    end if;
    begin
        v_seconds := trim_scale(extract(epoch from (
            case when v_period ~ '^\d' then '' else '1 ' end || v_period)::interval));
    exception
        when invalid_datetime_format or datetime_field_overflow or interval_field_overflow then
            v_seconds := null;
    end;
    if rate is not null
       and (v_period ~ '[a-z]' and v_messages between 1 and 1000000 and v_seconds between 0.001 and 31104000
            and v_messages <= v_seconds * 1000000) is not true
    then
        raise exception '"%" is no %', rate, setting
            using errcode = '22023',
                  detail  = format('A %s names 1 to 1,000,000 messages, and a time of 1 ms to 360 days: no '
                                   'more than a million a second.', setting),
                  hint    = 'Write it as 100/1 s, 5/minute or 1000/1 hour; 0 takes it away.';
    end if;
    return v_messages || '/' || v_seconds || ' s';
end;
$$;

comment on function symphony._checked_rate is
$$Read a rate as people write it.

Arguments  setting - its name, for the error
           rate - such as 100/1 s or 5/minute; 0: there shall be no rate; null: it stays as it is
Returns    the rate as the queue keeps it, 0, or null
Raises     22023 invalid_parameter_value
Access     private$$;
