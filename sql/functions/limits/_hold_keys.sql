create or replace function symphony._hold_keys(message_ids bigint[], is_final boolean)
returns boolean
language plpgsql
volatile
as $$
declare
    v_queue symphony.queue;
begin
    select queue.* into v_queue
    from symphony.message
    join symphony.lane on lane.lane_id = message.lane_id
    join symphony.queue on queue.queue_name = lane.queue_name
    where message.message_id = message_ids[1];
    if v_queue.ordered is not true then
        return false;
    elsif is_final and v_queue.on_failure = 'continue' then
        delete from symphony.held_key where held_key.message_id = any (message_ids);
        return false;
    end if;
    insert into symphony.held_key (queue_name, group_key, message_id, held_at)
    select v_queue.queue_name, message.group_key, message.message_id, symphony._now()
    from symphony.message
    where message.message_id = any (message_ids) and message.group_key is not null
    on conflict on constraint held_key_pkey do nothing;
    return true;
end;
$$;

comment on function symphony._hold_keys is
$$Let messages that did not succeed hold their keys, if their queue is ordered. Those that fail for
good let them go where the queue says so.

Arguments  message_ids - open in a claim, of one queue, and no two of them of a key
           is_final - true: they fail for good
Returns    true: they hold them, as far as they have any
Writes     symphony.held_key
Access     private$$;
