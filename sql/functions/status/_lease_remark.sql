create or replace function symphony._lease_remark(claim_id bigint, now timestamptz)
returns text
language plpgsql
stable
as $$
declare
    v_lease_until timestamptz := (
        select claim.lease_until from symphony.claim where claim.claim_id = _lease_remark.claim_id);
begin
    if v_lease_until > now then
        return format(' Its lease lasts until %s.', v_lease_until);
    end if;
    return format(' Its lease ended at %s; the next symphony.tick() hands it out again%s.', v_lease_until,
                  ', but the present one is in the hands of ' || symphony._turn_holder('tick'));
end;
$$;

comment on function symphony._lease_remark is
$$A sentence about the lease of a claim, for why_not_running().

Arguments  claim_id
           now
Access     private$$;
