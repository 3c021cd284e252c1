create or replace function symphony._end_when_idle(asynchronous boolean default false)
returns text
language sql
volatile
as $$
    select pg_catalog.set_config('idle_in_transaction_session_timeout', case
        when pg_catalog.current_setting('idle_in_transaction_session_timeout')::pg_catalog.interval
             operator(pg_catalog.<=) '10 seconds'::pg_catalog.interval
             and pg_catalog.current_setting('idle_in_transaction_session_timeout')
                 operator(pg_catalog.<>) '0'
        then pg_catalog.current_setting('idle_in_transaction_session_timeout')
        else '10s' end, true)
        operator(pg_catalog.||) case when asynchronous
            then pg_catalog.set_config('synchronous_commit', 'off', true) else '' end
$$;

comment on function symphony._end_when_idle is
$$See to it that the session ends when its transaction, which locks out others, is idle for 10
seconds. It ends sooner if the session says so itself.

Arguments  asynchronous - true: its commit waits neither for the disk nor for a standby
Returns    what it has set
Access     private$$;
