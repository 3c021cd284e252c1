create or replace function symphony.list_retry_policies()
returns table (
    pattern text, max_attempts integer, delay interval, multiplier double precision,
    max_delay interval, jitter double precision, permanent_errors text[], transient_errors text[],
    retry_after_errors jsonb, snooze_errors jsonb
)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select p.pattern, p.max_attempts, p.delay, p.multiplier, p.max_delay, p.jitter, p.permanent_errors,
           p.transient_errors, p.retry_after_errors, p.snooze_errors
    from symphony.retry_policy as p
    order by p.pattern = '*', p.pattern
$$;

comment on function symphony.list_retry_policies is
$$The retry policies of message types and groups; * comes last, the default.

Returns    a row for each pattern. What is null the queue says, or else *; the columns mean what the
           arguments of set_retry_policy() do
Access     operator, observer$$;
