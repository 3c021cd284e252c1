create or replace function symphony.cron_upcoming(
    expression text,
    n          integer default 5,
    after      timestamptz default null,
    timezone   text default 'UTC',
    hash_key   text default ''
)
returns setof timestamptz
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_at timestamptz := coalesce(after, symphony._now());
begin
    if n is null or n not between 1 and 1000 then
        raise exception 'cannot list % runs', coalesce(n::text, '(null)')
            using errcode = '22023',
                  detail  = 'The argument n is not between 1 and 1000.',
                  hint    = 'Ask for fewer, and go on after the last.';
    end if;
    for v_count in 1..n loop
        v_at := symphony.cron_next(expression, v_at, timezone, hash_key);
        return next v_at;
    end loop;
end;
$$;

comment on function symphony.cron_upcoming is
$$The coming runs of a cron expression.

Arguments  expression - as for cron_next()
           n - how many, 1 to 1000
           after - the runs are later than this; null: now
           timezone, hash_key - as for cron_next()
Returns    the moments, in order
Raises     22023 invalid_parameter_value
Access     producer, operator, observer$$;
