create or replace function symphony._hold_late(lane_id integer, message_ids bigint[])
returns void
language plpgsql
volatile
as $$
declare
    v_queue record;
begin
    select queue.queue_name, queue.ordered, queue.on_failure into v_queue
    from symphony.lane
    join symphony.queue on queue.queue_name = lane.queue_name
    where lane.lane_id = _hold_late.lane_id;
    if v_queue.ordered and v_queue.on_failure = 'continue' then
        delete from symphony.held_key where held_key.message_id = any (_hold_late.message_ids);
    elsif v_queue.ordered then
        insert into symphony.held_key (queue_name, group_key, message_id, held_at)
        select v_queue.queue_name, message.group_key, message.message_id, symphony._now()
        from symphony.message
        where message.message_id = any (_hold_late.message_ids)
          and message.on_expiry is null and message.group_key is not null
        on conflict on constraint held_key_pkey do nothing;
    end if;
end;
$$;

comment on function symphony._hold_late(integer, bigint[]) is
$$Let messages that fail since they have expired hold their keys, or let them go, as their queue says.

Arguments  lane_id - of the messages
           message_ids - open in a claim; of an ordered key that is to be held no more than one
Writes     symphony.held_key
Access     private$$;

revoke execute on function symphony._hold_late(integer, bigint[]) from public;
