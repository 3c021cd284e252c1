create or replace function symphony._gate(
    queue_name text,
    out gate_id     bigint,
    out open_claims bigint[],
    out over_claims bigint[],
    out in_flight   integer
)
language plpgsql
stable
as $$
declare
    v_claims bigint[];
begin
    select newest.gate_id, newest.open_claims into gate_id, v_claims
    from symphony.gate as newest
    where newest.queue_name = _gate.queue_name
    order by newest.queue_name desc, newest.gate_id desc
    limit 1;
    select coalesce(array_agg(claim.claim_id) filter (where claim.open_ids <> '{}'), '{}'),
           coalesce(array_agg(claim.claim_id) filter (where claim.open_ids = '{}'), '{}'),
           coalesce(sum(cardinality(claim.open_ids)), 0)
    into open_claims, over_claims, in_flight
    from symphony.claim
    where claim.claim_id = any (v_claims);
end;
$$;

comment on function symphony._gate(text) is
$$What is in the hands of the workers of a queue with limits.

Arguments  queue_name
Returns    gate_id - the row that is its state
           open_claims - those of its claims that are open
           over_claims - those that are over, and whose keys nobody has looked at since
           in_flight - messages that are open in them
Access     private$$;

revoke execute on function symphony._gate(text) from public;
