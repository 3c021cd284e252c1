create or replace function symphony._check_pattern(pattern text)
returns void
language plpgsql
immutable
as $$
begin
    if pattern is null or length(pattern) not between 1 and 200 or pattern = '.*'
        or position('*' in regexp_replace(pattern, '(^|\.)\*$', '')) > 0
    then
        raise exception '"%" cannot be a pattern', coalesce(pattern, '(null)')
            using errcode = '22023',
                  detail  = 'A pattern is a message type, the beginning of some before a dot, or all.',
                  hint    = 'Write SendEmail, orders.* or *.';
    end if;
end;
$$;

comment on function symphony._check_pattern is
$$Refuse what is not a pattern of message types.

Arguments  pattern
Raises     22023 invalid_parameter_value
Access     private$$;
