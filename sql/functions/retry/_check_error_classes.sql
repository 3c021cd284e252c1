create or replace function symphony._check_error_classes(
    permanent_errors   text[],
    transient_errors   text[],
    retry_after_errors jsonb,
    snooze_errors      jsonb
)
returns void
language plpgsql
immutable
as $$
declare
    v_what text;
begin
    if jsonb_typeof(retry_after_errors) <> 'object' or jsonb_typeof(snooze_errors) <> 'object' then
        v_what := 'waits are an object, with a class for each key';
    else
        begin
            select case
                when given.name is null or given.name = '' then 'a class has no name'
                when given.wait not between '0' and '1 year'
                    then format('the wait for %s must be 0 to 1 year', given.name)
                when count(*) > 1 then format('%s is listed twice', given.name)
            end into v_what
            from (
                select name, interval '0' as wait from unnest(permanent_errors || transient_errors) as name
                union all
                select key, coalesce((value #>> '{}')::interval, '-1 s')
                from (select * from jsonb_each(retry_after_errors)
                      union all select * from jsonb_each(snooze_errors)) as waits
            ) as given
            group by given.name, given.wait not between '0' and '1 year'
            order by 1
            limit 1;
        exception when data_exception then
            v_what := sqlerrm;
        end;
    end if;
    if v_what is not null then
        raise exception 'these are not classes of errors: %', v_what
            using errcode = '22023',
                  detail  = format('It was given %s, %s, %s and %s.', permanent_errors, transient_errors,
                                   retry_after_errors, snooze_errors),
                  hint    = 'Write permanent_errors => ''{ValueError,shop.CardRefused}'', '
                            'snooze_errors => ''{"shop.BankClosed": "1 hour"}''.';
    end if;
end;
$$;

comment on function symphony._check_error_classes is
$$Refuse classes of errors without a name, in two lists, or with a wait that is out of range.

Arguments  permanent_errors
           transient_errors
           retry_after_errors - waits by class, up to a year; numbers are seconds
           snooze_errors - the same
Raises     22023 invalid_parameter_value
Access     private$$;
