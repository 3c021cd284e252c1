create or replace function symphony._hold_back(claim_id bigint, message_id bigint, is_final boolean)
returns bigint[]
language plpgsql
volatile
as $$
/*
 * It is called while the message is still open in its claim: that tells what follows it.
 */
declare
    v_returned bigint[];
begin
    if not symphony._hold_keys(array[_hold_back.message_id], is_final) then
        return '{}';
    end if;
    v_returned := array_remove(symphony._followers(_hold_back.claim_id, array[_hold_back.message_id]),
                               _hold_back.message_id);
    if v_returned <> '{}' then
        perform symphony._park_again(_hold_back.claim_id, v_returned);
    end if;
    return v_returned;
end;
$$;

comment on function symphony._hold_back is
$$Keep the order of a key whose message did not succeed: in an ordered queue the message holds its
key, and what follows it in the claim is given back.

Arguments  claim_id - its row is locked
           message_id - open in it, of a queue with limits
           is_final - true: it fails for good, and the queue says what becomes of its key
Returns    the messages that were given back
Writes     symphony.held_key, symphony.parked, symphony.claim
Access     private$$;
