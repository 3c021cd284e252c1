create or replace function symphony.set_retry_policy(
    pattern          text,
    max_attempts     integer default null,
    delay            interval default null,
    multiplier       double precision default null,
    max_delay        interval default null,
    jitter           double precision default null,
    permanent_errors text[] default '{}'
)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform symphony._check_pattern(pattern);
    perform symphony._check_retry(jsonb_build_object(
        'max_attempts', max_attempts, 'delay', delay, 'multiplier', multiplier,
        'max_delay', max_delay, 'jitter', jitter));
    if exists (select from unnest(permanent_errors) as name where name is null or name = '') then
        raise exception 'permanent_errors must name classes of errors'
            using errcode = '22023',
                  detail  = format('It was given %s.', permanent_errors),
                  hint    = 'Write permanent_errors => ''{ValueError,shop.CardRefused}''.';
    end if;
    if pattern = '*' then
        max_attempts := coalesce(max_attempts, 4);
        delay := coalesce(delay, '1 second');
        multiplier := coalesce(multiplier, 2);
        max_delay := coalesce(max_delay, '30 seconds');
        jitter := coalesce(jitter, 0.1);
    end if;
    insert into symphony.retry_policy (
        pattern, max_attempts, delay, multiplier, max_delay, jitter, permanent_errors)
    values (
        set_retry_policy.pattern, set_retry_policy.max_attempts, set_retry_policy.delay,
        set_retry_policy.multiplier, set_retry_policy.max_delay, set_retry_policy.jitter,
        coalesce(set_retry_policy.permanent_errors, '{}'))
    on conflict on constraint retry_policy_pkey do update
        set max_attempts = excluded.max_attempts, delay = excluded.delay,
            multiplier = excluded.multiplier, max_delay = excluded.max_delay,
            jitter = excluded.jitter, permanent_errors = excluded.permanent_errors;
end;
$$;

comment on function symphony.set_retry_policy(
    text, integer, interval, double precision, interval, double precision, text[]) is
$$Say how messages of a type are retried; it replaces what was said before, also for those under way.

Arguments  pattern - a message type, a group such as orders.*, or * for all that is said nowhere else;
           max_attempts, delay, multiplier, max_delay, jitter - null: as the queue or * says, and for
           * itself 4, 1 s, 2, 30 s and 0.1; permanent_errors - classes of errors that are not retried,
           by full name or by the part after the last dot; those of * count for every type
Raises     22023 bad argument
Writes     symphony.retry_policy
Access     operator$$;

revoke execute on function symphony.set_retry_policy(
    text, integer, interval, double precision, interval, double precision, text[]) from public;
