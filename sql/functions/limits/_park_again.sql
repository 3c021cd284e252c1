create or replace function symphony._park_again(claim_id bigint, message_ids bigint[])
returns void
language plpgsql
volatile
as $$
/*
 * What was taken first goes first, and what a later claim gives back goes before it: that one had the
 * earlier messages of the key.
 */
begin
    insert into symphony.parked (queue_name, group_key, place, ordinal, lane_id, message_id)
    select lane.queue_name, message.group_key, 0 - claim.claim_id, open.number, claim.lane_id,
           message.message_id
    from symphony.claim
    join symphony.lane on lane.lane_id = claim.lane_id
    cross join lateral unnest(claim.open_ids) with ordinality as open (message_id, number)
    join symphony.message on message.message_id = open.message_id
    where claim.claim_id = _park_again.claim_id
      and open.message_id = any (_park_again.message_ids);
    perform symphony._settle(_park_again.claim_id, message_ids, returned => cardinality(message_ids),
                             put_back => cardinality(message_ids));
end;
$$;

comment on function symphony._park_again is
$$Give messages of a claim back: they wait before all others of their key.

Arguments  claim_id - its row is locked
           message_ids - open in it, with keys
Writes     symphony.parked, symphony.claim
Access     private$$;
