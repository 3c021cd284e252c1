create or replace function symphony._notify(queue_name text, payload text)
returns boolean
language sql
volatile
as $$
    select case when symphony._may_notify() then
        pg_catalog.pg_notify('symphony:' operator(pg_catalog.||) queue_name, payload) is not null
    end
$$;

comment on function symphony._notify is
$$Notify those who listen to a queue, when the transaction commits. It is a hint, and polling is the
truth.

Arguments  queue_name
           payload - empty, request, or what _called_workers() returns
Writes     NOTIFY on symphony:<queue>, while _may_notify()
Access     private$$;
