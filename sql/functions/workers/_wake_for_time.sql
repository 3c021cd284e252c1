create or replace function symphony._wake_for_time(queue_name text)
returns void
language plpgsql
volatile
as $$
begin
    if (select idle_worker.workers <> '{}'
        from symphony.idle_worker
        where idle_worker.queue_name = _wake_for_time.queue_name
        order by idle_worker.idle_id desc
        limit 1)
    then
        perform symphony._notify(queue_name, '');
    end if;
end;
$$;

comment on function symphony._wake_for_time is
$$Let a worker that sleeps know that a message became due at another time, so that it does not sleep
until later.

Arguments  queue_name
Writes     NOTIFY if a worker of the queue sleeps
Access     private$$;
