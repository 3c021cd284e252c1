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
    insert into symphony.retry_policy as p (
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
            retry_after_errors = excluded.retry_after_errors, snooze_errors = excluded.snooze_errors
        where p is distinct from excluded;
    if found then
        perform symphony._audit('set_retry_policy', jsonb_build_object(
            'pattern', pattern, 'max_attempts', max_attempts, 'delay', delay, 'multiplier', multiplier,
            'max_delay', max_delay, 'jitter', jitter, 'permanent_errors', permanent_errors,
            'transient_errors', transient_errors, 'retry_after_errors', retry_after_errors,
            'snooze_errors', snooze_errors));
    end if;
end;
$$;

comment on function symphony.set_retry_policy is
$$Say how messages of a type are retried. It replaces what was said before, also for those under way.
What is said for * counts for what no type says. The class of an error goes before those it derives
from.

Arguments  pattern - a message type, a group such as orders.*, or * for all others
           max_attempts - deliveries before it fails for good, 1 to 1000; null, here and in the next
               four: as the queue or * says, and for * itself 4 attempts, 1 second, 2, 30 seconds
               and 0.1
           delay - wait before the second attempt, up to a year
           multiplier - factor by which the wait grows with each attempt, 1 to 100
           max_delay - the longest wait, up to a year
           jitter - random share of the wait, up or down, 0 to 1
           permanent_errors - classes of errors that are not retried, by full name or by the part
               after its last dot
           transient_errors - classes of errors that are retried as usual
           retry_after_errors - classes of errors that are retried after a wait of their own,
               {"class": "wait"}
           snooze_errors - classes of errors that use no attempt, {"class": "wait"}
Raises     22023 invalid_parameter_value
Writes     symphony.retry_policy, symphony.audit
Access     operator$$;
