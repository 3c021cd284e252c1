create or replace function symphony._open_ids()
returns setof bigint
language plpgsql
stable
as $$
/*
 * Claims are many, and few of them are open: those that were at the last fold, or came since.
 */
begin
    return query
    select unnest(c.open_ids)
    from symphony.lane
    join symphony.tally as t on t.lane_id = lane.lane_id
    cross join lateral (
        select claim.open_ids from symphony.claim
        where claim.lane_id = t.lane_id and claim.claim_id > t.claim_id
        union all
        select claim.open_ids from unnest(t.open_claims) as open (claim_id)
        join symphony.claim on claim.claim_id = open.claim_id
    ) as c
    where lane.is_used or exists (select from symphony.lane_use);
end;
$$;

comment on function symphony._open_ids is
$$The messages that are in hands.

Returns    their ids
Access     private$$;
