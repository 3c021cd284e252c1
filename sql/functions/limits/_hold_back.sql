create or replace function symphony._hold_back(claim_id bigint, message_id bigint, is_final boolean)
returns bigint[]
language plpgsql
volatile
as $$
/*
 * It is called while the message is still open in its claim: that tells what follows it.
 */
declare
    v_queue    record;
    v_returned bigint[];
begin
    select queue.queue_name, message.group_key, queue.ordered,
           not is_final or queue.on_failure = 'hold' as is_held
    into v_queue
    from symphony.message
    join symphony.lane on lane.lane_id = message.lane_id
    join symphony.queue on queue.queue_name = lane.queue_name
    where message.message_id = _hold_back.message_id;
    if not v_queue.ordered or v_queue.group_key is null then
        return '{}';
    end if;
    if not v_queue.is_held then
        delete from symphony.held_key where held_key.message_id = _hold_back.message_id;
        return '{}';
    end if;
    insert into symphony.held_key (queue_name, group_key, message_id, held_at)
    values (v_queue.queue_name, v_queue.group_key, _hold_back.message_id, symphony._now())
    on conflict on constraint held_key_pkey do nothing;
    v_returned := array_remove(symphony._followers(_hold_back.claim_id, array[_hold_back.message_id]),
                               _hold_back.message_id);
    if v_returned <> '{}' then
        perform symphony._park_again(_hold_back.claim_id, v_returned);
    end if;
    return v_returned;
end;
$$;

comment on function symphony._hold_back(bigint, bigint, boolean) is
$$Keep the order of a key whose message did not succeed: in an ordered queue the message holds its
key, and what follows it in the claim is given back.

Arguments  claim_id - its row is locked
           message_id - open in it, of a queue with limits
           is_final - true: it fails for good, and the queue says what becomes of its key
Returns    the messages that were given back
Writes     symphony.held_key, symphony.parked, symphony.claim
Access     private$$;

revoke execute on function symphony._hold_back(bigint, bigint, boolean) from public;
