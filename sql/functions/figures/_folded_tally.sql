create or replace function symphony._folded_tally(lane_id integer, purged_claim_id bigint)
returns symphony.tally
language plpgsql
volatile
as $$
/*
 * Mostly a purge comes to claims that were folded long ago.  Where the retention is short, it need not wait
 * for a tick to fold them.
 */
declare
    v_tally symphony.tally;
begin
    select * into v_tally from symphony.tally where tally.lane_id = _folded_tally.lane_id;
    if exists (
        select
        from (select claim.claim_id from symphony.claim
              where claim.lane_id = _folded_tally.lane_id and claim.claim_id > purged_claim_id
              order by claim.claim_id
              limit 1) as next
        where next.claim_id > v_tally.claim_id or next.claim_id = any (v_tally.open_claims))
    then
        perform symphony._fold_lane(lane_id, date_trunc('minute', symphony._now()));
        select * into v_tally from symphony.tally where tally.lane_id = _folded_tally.lane_id;
    end if;
    return v_tally;
end;
$$;

comment on function symphony._folded_tally is
$$How far a lane is folded, once the first claim that a purge comes to is.

Arguments  lane_id
           purged_claim_id - the last claim whose messages are all removed
Returns    the tally of the lane
Writes     what _fold_lane() writes
Access     private$$;
