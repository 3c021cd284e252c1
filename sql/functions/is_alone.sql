create or replace function symphony.is_alone(claim_id bigint)
returns boolean
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select from symphony.claim
        join symphony.lane on lane.lane_id = claim.lane_id
        where claim.claim_id = is_alone.claim_id and lane.alone)
$$;

comment on function symphony.is_alone(bigint) is
$$Tell whether the message of a claim was in the hands of a worker that vanished, and may have been
the cause: a worker should hold nothing else while it works on it. To be asked of claims of one
message only, and not of one that is in its first attempt and younger than the shortest lease.

Arguments  claim_id - from claim_batch()
Returns    true, or false if it is like any other or there is no such claim
Access     consumer$$;

revoke execute on function symphony.is_alone(bigint) from public;
