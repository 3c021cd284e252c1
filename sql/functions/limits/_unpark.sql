create or replace function symphony._unpark(queue_name text)
returns void
language plpgsql
volatile
as $$
begin
    with gone as (
        delete from symphony.parked
        where parked.queue_name = _unpark.queue_name
        returning parked.message_id
    )
    update symphony.message
    set txid = pg_current_xact_id()::text::bigint
    from gone
    where message.message_id = gone.message_id;
    delete from symphony.held_key where held_key.queue_name = _unpark.queue_name;
    delete from symphony.freed_key where freed_key.queue_name = _unpark.queue_name;
end;
$$;

comment on function symphony._unpark is
$$Let all messages of a queue that wait for their keys be pending, since its keys are limited no
longer.

Arguments  queue_name - its lanes are locked
Writes     symphony.message, symphony.parked, symphony.held_key, symphony.freed_key
Access     private$$;
