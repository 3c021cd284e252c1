create or replace function symphony._settle(
    claim_id    bigint,
    message_ids bigint[],
    retried     integer default 0,
    failed      integer default 0,
    returned    integer default 0
)
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update symphony.claim
    set open_ids    = array(select id from unnest(claim.open_ids) as id
                            where id <> all (_settle.message_ids)),
        finished_at = case when cardinality(claim.open_ids) = cardinality(_settle.message_ids)
                           then symphony._now() end,
        retried     = claim.retried + _settle.retried,
        failed      = claim.failed + _settle.failed,
        returned    = claim.returned + _settle.returned
    where claim.claim_id = _settle.claim_id;
    return cardinality(_settle.message_ids);
end;
$$;

comment on function symphony._settle(bigint, bigint[], integer, integer, integer) is
$$Strike messages off a claim whose row is locked.

Arguments  claim_id; message_ids - from _hold_claim(); retried, failed, returned - how many of them were not acknowledged, and why
Returns    how many messages that were
Writes     symphony.claim (updates one row)
Access     private$$;

revoke execute on function symphony._settle(bigint, bigint[], integer, integer, integer) from public;
