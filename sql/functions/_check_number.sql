create or replace function symphony._check_number(
    argument text,
    number   bigint,
    most     bigint,
    detail   text,
    hint     text
)
returns void
language plpgsql
immutable
as $$
begin
    if number is null or number not between 1 and most then
        raise exception '% must be between 1 and %, not %', argument, most, coalesce(number::text, 'null')
            using errcode = '22023',
                  detail  = _check_number.detail,
                  hint    = _check_number.hint;
    end if;
end;
$$;

comment on function symphony._check_number is
$$Refuse an argument that is null, less than 1 or more than is useful.

Arguments  argument - its name
           number - its value
           most - the greatest that there may be
           detail - what the number says
           hint - what to do instead
Raises     22023 invalid_parameter_value
Access     private$$;
