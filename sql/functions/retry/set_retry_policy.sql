create or replace function symphony.set_retry_policy(
    pattern          text,
    max_attempts     integer default null,
    delay            interval default null,
    multiplier       double precision default null,
    max_delay        interval default null,
    jitter           double precision default null,
    permanent_errors text[] default '{}',
    transient_errors text[] default '{}',
    retry_after_errors jsonb default '{}',
    snooze_errors    jsonb default '{}'
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
    permanent_errors := coalesce(permanent_errors, '{}');
    transient_errors := coalesce(transient_errors, '{}');
    retry_after_errors := coalesce(retry_after_errors, '{}');
    snooze_errors := coalesce(snooze_errors, '{}');
    perform symphony._check_error_classes(
        permanent_errors, transient_errors, retry_after_errors, snooze_errors);
    if pattern = '*' then
        max_attempts := coalesce(max_attempts, 4);
        delay := coalesce(delay, '1 second');
        multiplier := coalesce(multiplier, 2);
        max_delay := coalesce(max_delay, '30 seconds');
        jitter := coalesce(jitter, 0.1);
    end if;
    insert into symphony.retry_policy (
        pattern, max_attempts, delay, multiplier, max_delay, jitter, permanent_errors,
        transient_errors, retry_after_errors, snooze_errors)
    values (
        set_retry_policy.pattern, set_retry_policy.max_attempts, set_retry_policy.delay,
        set_retry_policy.multiplier, set_retry_policy.max_delay, set_retry_policy.jitter,
        set_retry_policy.permanent_errors, set_retry_policy.transient_errors,
        set_retry_policy.retry_after_errors, set_retry_policy.snooze_errors)
    on conflict on constraint retry_policy_pkey do update
        set max_attempts = excluded.max_attempts, delay = excluded.delay,
            multiplier = excluded.multiplier, max_delay = excluded.max_delay,
            jitter = excluded.jitter, permanent_errors = excluded.permanent_errors,
            transient_errors = excluded.transient_errors,
            retry_after_errors = excluded.retry_after_errors, snooze_errors = excluded.snooze_errors;
end;
$$;

comment on function symphony.set_retry_policy(
    text, integer, interval, double precision, interval, double precision, text[], text[], jsonb,
    jsonb) is
$$Say how messages of a type are retried; it replaces what was said before, also for those under way.

Arguments  pattern - a message type, a group such as orders.*, or * for all that is said nowhere else;
           max_attempts, delay, multiplier, max_delay, jitter - null: as the queue or * says, and for
           * itself 4, 1 s, 2, 30 s and 0.1; permanent_errors - classes of errors that are not retried,
           by full name or by the part after the last dot; transient_errors - that are;
           retry_after_errors - that are after a wait of their own, {"class": "wait"}; snooze_errors -
           that use no attempt, {"class": "wait"}. What is said for * counts for what no type says;
           the class of an error goes before those it derives from
Raises     22023 bad argument
Writes     symphony.retry_policy
Access     operator$$;

revoke execute on function symphony.set_retry_policy(
    text, integer, interval, double precision, interval, double precision, text[], text[], jsonb,
    jsonb) from public;
