create or replace function symphony.ack(
    claim_id    bigint,
    message_ids bigint[] default null
)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return symphony._settle(ack.claim_id, symphony._hold_claim(ack.claim_id, ack.message_ids));
end;
$$;

comment on function symphony.ack(bigint, bigint[]) is
$$Settle messages of a live claim: they are done.

Arguments  claim_id - from claim_batch(); message_ids - null settles all that is left
Returns    how many messages were settled
Raises     SY010 lease_lost - the lease ended, or a message is already settled
Writes     symphony.claim (updates one row)
Access     consumer$$;

revoke execute on function symphony.ack(bigint, bigint[]) from public;
