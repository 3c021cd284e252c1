create or replace function symphony._suspects(claim_id bigint)
returns bigint[]
language plpgsql
volatile
as $$
/*
 * A worker has the messages of a key one after the other, so only the first that is open can have been
 * its end.  The others were not started, and go on behind it.
 */
declare
    v_suspects bigint[];
    v_others   bigint[];
begin
    with open as (
        select message.message_id, given.number,
               queue.ordered and message.group_key is not null
               and row_number() over (partition by message.group_key order by given.number) > 1 as is_later
        from symphony.claim
        join symphony.lane on lane.lane_id = claim.lane_id
        join symphony.queue on queue.queue_name = lane.queue_name
        cross join lateral unnest(claim.open_ids) with ordinality as given (message_id, number)
        join symphony.message on message.message_id = given.message_id
        where claim.claim_id = _suspects.claim_id
    )
    select coalesce(array_agg(open.message_id order by open.number) filter (where not open.is_later), '{}'),
           coalesce(array_agg(open.message_id order by open.number) filter (where open.is_later), '{}')
    into v_suspects, v_others
    from open;
    perform symphony._hold_keys(v_suspects, is_final => false);
    if v_others <> '{}' then
        perform symphony._park_again(_suspects.claim_id, v_others);
    end if;
    return v_suspects;
end;
$$;

comment on function symphony._suspects is
$$The messages that a worker that is gone may have started. In an ordered queue each holds its key,
and those behind it are given back.

Arguments  claim_id - of a queue with limits; its row is locked
Returns    the open messages, in an ordered queue only the first of each key
Writes     symphony.held_key, symphony.parked, symphony.claim
Access     private$$;
