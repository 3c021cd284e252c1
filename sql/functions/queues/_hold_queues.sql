create or replace function symphony._hold_queues(queue_names text[])
returns void
language plpgsql
volatile
as $$
begin
    if current_setting('transaction_isolation') not like 'read%' then
        perform from symphony.queue where queue.queue_name = any (_hold_queues.queue_names) for key share;
    end if;
end;
$$;

comment on function symphony._hold_queues is
$$Keep queues from being dropped unseen by an old snapshot, until the transaction ends.

Arguments  queue_names - those without a queue do not matter
Raises     40001 serialization_failure - a queue was dropped or changed since the snapshot
Locks      the queues, for key share. In read committed it locks nothing, since every statement
           looks anew
Access     private$$;
