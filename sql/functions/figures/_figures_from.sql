create or replace function symphony._figures_from(since timestamptz, step text, now timestamptz)
returns timestamptz
language plpgsql
stable
as $$
begin
    if step is null or step not in ('minute', 'hour') then
        raise exception 'step must be minute or hour, not %', coalesce(step, 'null')
            using errcode = '22023',
                  detail  = 'Figures are kept by the minute for 7 days, and by the hour for 90 days.',
                  hint    = 'Add up hours to get days.';
    end if;
    return date_trunc(step, coalesce(
        since, _figures_from.now - case step when 'minute' then interval '59 minutes'
                                             else interval '23 hours' end));
end;
$$;

comment on function symphony._figures_from is
$$Where figures begin.

Arguments  since - null: the last hour, or the last day
           step - minute or hour
           now
Returns    the beginning of that minute or hour
Raises     22023 invalid_parameter_value
Access     private$$;
