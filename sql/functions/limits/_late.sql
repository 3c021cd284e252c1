create or replace function symphony._late(claim_id bigint)
returns table (message_id bigint, is_returned boolean, fails boolean, number bigint)
language plpgsql
stable
as $$
/*
 * In an ordered queue a message that is late fails in its turn only: behind one that may still start it is
 * given back, or it would hold the key before its turn, and go first once it is replayed.  What follows a
 * message that holds its key is given back as well, and so is what follows one that is given back.
 */
begin
    return query
    with open as (
        select given.message_id, given.number, message.group_key, queue.on_failure = 'hold' as holds,
               queue.ordered and message.group_key is not null as is_ordered,
               (message.expires_at <= claim.claimed_at) is true as is_late,
               (message.expires_at <= claim.claimed_at and message.on_expiry is null) is true as fails
        from symphony.claim
        join symphony.lane on lane.lane_id = claim.lane_id
        join symphony.queue on queue.queue_name = lane.queue_name
        cross join lateral unnest(claim.open_ids) with ordinality as given (message_id, number)
        cross join lateral (    -- each by its id, whatever was there when this was planned
            select m.group_key, m.expires_at, m.on_expiry from symphony.message as m
            where m.message_id = given.message_id limit 1
        ) as message
        where claim.claim_id = _late.claim_id
    ), before as (
        select open.*, count(*) filter (where not open.is_late) over key > 0 as is_behind,
               count(*) filter (where open.fails and open.holds) over key > 0 as is_held
        from open
        window key as (partition by open.group_key order by open.number
                       rows between unbounded preceding and 1 preceding)
    ), told as (
        select before.*, before.is_ordered and (
                   before.is_held or bool_or(before.fails and before.is_behind)
                       over (partition by before.group_key order by before.number)) as goes_back
        from before
    )
    select told.message_id, told.goes_back, told.fails and not told.goes_back, told.number
    from told
    where told.is_late or told.goes_back;
end;
$$;

comment on function symphony._late is
$$The messages of a claim that had expired when it was made, and those that are given back with them.

Arguments  claim_id
Returns    a row for each
           message_id - open in the claim
           is_returned - true: it is given back; false: it fails, or is dropped
           fails - true: it fails
           number - its place in the claim
Access     private$$;
