create or replace function symphony._last_over(
    lane_id   integer,
    from_id   bigint,
    before    timestamptz,
    tally     symphony.tally,
    gate      bigint,
    at_most   integer,
    out claim symphony.claim,
    out work  integer
)
language plpgsql
stable
as $$
/*
 * Claims are walked in order up to the first that is not over, or not folded, and no further than there
 * are messages to remove.
 *
 * A claim at the gate tells whoever comes next which keys were let go.  So it stays until then, and is no
 * work: where nobody comes, whoever calls as long as there is more would call for ever.
 */
declare
    v_next record;
begin
    work := 0;
    for v_next in
        select c as claim, c.open_ids = '{}' and c.finished_at < before and c.claim_id <= tally.claim_id
               and c.claim_id <> all (tally.open_claims) as is_over
        from symphony.claim as c
        where c.lane_id = _last_over.lane_id and c.claim_id >= from_id
        order by c.claim_id
        limit at_most + 1
    loop
        exit when not v_next.is_over or work >= at_most;
        claim := v_next.claim;
        if claim.claim_id > from_id and (claim.claim_id < gate) is not false then
            work := work + greatest(claim.size, 1);
        end if;
    end loop;
end;
$$;

comment on function symphony._last_over is
$$The last claim of a lane up to which one call purges.

Arguments  lane_id
           from_id - the claim that the last purge left
           before - the end of the retention
           tally - what _folded_tally() says
           gate - what _first_at_gate() says
           at_most - about so many messages are to be removed
Returns    claim - the claim; null: none is over
           work - how many messages had those claims that can be removed
Access     private$$;
