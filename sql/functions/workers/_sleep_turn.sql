create or replace function symphony._sleep_turn(queue_name text)
returns text
language sql
immutable
as $$
    select 'sleep:' operator(pg_catalog.||)
           (pg_catalog.hashtext(queue_name) operator(pg_catalog.&) 31)::pg_catalog.text
$$;

comment on function symphony._sleep_turn is
$$The turn of those who note which workers of a queue sleep. The queues share 32 of them, for a worker
may consume thousands.

Arguments  queue_name
Returns    sleep:0 to sleep:31; they are taken in the order of these texts
Access     private$$;
