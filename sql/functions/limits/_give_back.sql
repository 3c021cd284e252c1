create or replace function symphony._give_back(claim_id bigint, message_ids bigint[])
returns bigint[]
language plpgsql
volatile
as $$
declare
    v_parked bigint[];
begin
    if not exists (
        select from symphony.claim
        join symphony.lane on lane.lane_id = claim.lane_id
        join symphony.queue on queue.queue_name = lane.queue_name
        where claim.claim_id = _give_back.claim_id and queue.ordered)
    then
        return '{}';
    end if;
    v_parked := symphony._followers(_give_back.claim_id, _give_back.message_ids);
    if v_parked <> '{}' then
        perform symphony._park_again(_give_back.claim_id, v_parked);
    end if;
    return v_parked;
end;
$$;

comment on function symphony._give_back is
$$Give messages of an ordered queue back in their place: those with a key, and what follows them.

Arguments  claim_id - its row is locked
           message_ids - open in it
Returns    the messages that were given back; those without a key are not among them
Writes     symphony.parked, symphony.claim
Access     private$$;
