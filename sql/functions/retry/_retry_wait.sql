create or replace function symphony._retry_wait(
    delay      interval,
    multiplier double precision,
    max_delay  interval,
    jitter     double precision,
    attempt    integer
)
returns interval
language sql
volatile
as $$
    select least(extract(epoch from _retry_wait.max_delay)::double precision,
                 extract(epoch from _retry_wait.delay)::double precision operator(pg_catalog.*) (
                     _retry_wait.multiplier operator(pg_catalog.^) least(_retry_wait.attempt, 50)))
           operator(pg_catalog.*) (
               1 operator(pg_catalog.+) (_retry_wait.jitter operator(pg_catalog.*) (
                   (2 operator(pg_catalog.*) pg_catalog.random()) operator(pg_catalog.-) 1)))
           operator(pg_catalog.*) interval '1 second'
$$;

comment on function symphony._retry_wait is
$$How long a message waits for its next attempt.

Arguments  delay, multiplier, max_delay, jitter - of _retry_rule()
           attempt - the attempts before the one that has failed
Access     private$$;
