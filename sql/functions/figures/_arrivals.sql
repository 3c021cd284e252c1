create or replace function symphony._arrivals(of_queue text, at_most integer)
returns table (queue_name text, pending bigint, arrived bigint, folded bigint, is_exact boolean)
language plpgsql
stable
as $$
begin
    return query
    select lane.queue_name, sum(d.pending)::bigint,
           sum(d.pending + t.passed + coalesce(new.passed, 0) + coalesce(open.put_back, 0))::bigint,
           sum(t.arrived)::bigint,
           bool_and(d.is_exact and coalesce(new.claims, 0) < at_most)
    from symphony.lane
    join symphony.tally as t on t.lane_id = lane.lane_id
    cross join lateral symphony._depth(lane.lane_id, at_most) as d
    cross join lateral (
        select sum(coalesce(c.passed, c.size) + coalesce(c.put_back, 0)) as passed, count(*) as claims
        from (select claim.passed, claim.size, claim.put_back
              from symphony.claim
              where (claim.lane_id, claim.claim_id) > (t.lane_id, t.claim_id)
                and claim.lane_id <= t.lane_id
              order by claim.lane_id, claim.claim_id
              limit at_most) as c
    ) as new
    cross join lateral (
        select sum(claim.put_back) as put_back
        from unnest(t.open_claims) as o (claim_id)
        join symphony.claim on claim.claim_id = o.claim_id
    ) as open
    where lane.queue_name = coalesce(of_queue, lane.queue_name)
      and (lane.is_used or exists (select from symphony.lane_use))
    group by lane.queue_name;
end;
$$;

comment on function symphony._arrivals is
$$How many messages have come into queues, as far as this statement sees them: those that are pending,
and those that were passed.

Arguments  of_queue - null: all queues
           at_most - so many messages of a lane are counted that are not in stretches, and so many
               claims read that are not folded
Returns    queue_name
           pending - how many are to be handed out
           arrived - how many have come in
           folded - of these, those that are in figures already
           is_exact - false: there may be more
Access     private$$;
