create or replace function symphony._check_retry(retry jsonb)
returns boolean
language plpgsql
immutable
as $$
declare
    v_given   record;
    v_unknown jsonb;
    v_what    text;
begin
    if retry is null then
        return true;
    end if;
    if jsonb_typeof(retry) <> 'object' then
        v_what := 'it is not a JSON object';
    else
        v_unknown := retry - '{max_attempts,delay,multiplier,max_delay,jitter}'::text[];
        begin
            select * into v_given
            from jsonb_to_record(retry) as given (
                max_attempts integer, delay interval, multiplier double precision, max_delay interval,
                jitter double precision);
            v_what := case
                when v_unknown <> '{}' then format('the keys in %s are unknown', v_unknown)
                when v_given.max_attempts not between 1 and 1000 then 'max_attempts must be 1 to 1000'
                when v_given.delay not between '0' and '1 year' then 'delay must be 0 to 1 year'
                when v_given.multiplier not between 1 and 100 then 'multiplier must be 1 to 100'
                when v_given.max_delay not between '0' and '1 year' then 'max_delay must be 0 to 1 year'
                when v_given.jitter not between 0 and 1 then 'jitter must be 0 to 1'
            end;
        exception when data_exception then
            v_what := sqlerrm;
        end;
    end if;
    if v_what is not null then
        raise exception 'this is not a way to retry: %', v_what
            using errcode = '22023',
                  detail  = format('It was given %s.', retry),
                  hint    = 'Its keys are max_attempts, delay, multiplier, max_delay and jitter, as in '
                            '''{"max_attempts": 5, "delay": "2 s", "multiplier": 2}''.';
    end if;
    return true;
end;
$$;

comment on function symphony._check_retry is
$$Refuse retry settings that are out of range.

Arguments  retry - null, or an object with max_attempts 1 to 1000, delay and max_delay up to a year,
               multiplier 1 to 100, jitter 0 to 1. Numbers for intervals are seconds
Returns    true
Raises     22023 invalid_parameter_value
Access     private$$;
