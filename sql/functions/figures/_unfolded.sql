create or replace function symphony._unfolded(tally symphony.tally, at_most integer)
returns table (
    claim_id bigint, is_new boolean, is_over boolean, claimed_at timestamptz, finished_at timestamptz,
    size integer, passed integer, open integer, retried integer, failed integer, returned integer,
    waited double precision, worked double precision
)
language sql
stable
as $$
    select c.claim_id, c.is_new, c.open_ids operator(pg_catalog.=) '{}', c.claimed_at, c.finished_at,
           c.size,
           case when c.is_new then coalesce(c.passed, c.size) else 0 end operator(pg_catalog.+)
           case when c.open_ids operator(pg_catalog.=) '{}' then coalesce(c.put_back, 0) else 0 end,
           pg_catalog.cardinality(c.open_ids), c.retried, c.failed, c.returned, c.waited::double precision,
           greatest(pg_catalog.date_part('epoch', c.finished_at operator(pg_catalog.-) c.claimed_at), 0)
    from (
        (select true as is_new, claim.*
         from symphony.claim
         where row(claim.lane_id, claim.claim_id) operator(pg_catalog.>) row(tally.lane_id, tally.claim_id)
           and claim.lane_id operator(pg_catalog.<=) tally.lane_id
         order by claim.lane_id, claim.claim_id
         limit at_most)
        union all
        select false, claim.*
        from pg_catalog.unnest(tally.open_claims) as open (claim_id)
        join symphony.claim on claim.claim_id operator(pg_catalog.=) open.claim_id
    ) as c
$$;

comment on function symphony._unfolded is
$$The claims of a lane that are not folded, or were folded while they were open.

Arguments  tally - of the lane
           at_most - so many of those that are not folded, the oldest
Returns    claim_id
           is_new - false: it was folded while it was open
           is_over - whether nothing of it is open
           claimed_at, finished_at, size, retried, failed, returned, waited - as in claim
           passed - how many messages are pending no longer since it was made, if it is new, and how
               many were put back, if it is over
           open - how many of its messages are
           worked - how long it took, in seconds; 0: it is not over
Access     private$$;
