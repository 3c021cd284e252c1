create or replace function symphony._settle(
    claim_id    bigint,
    message_ids bigint[],
    retried     integer default 0,
    failed      integer default 0,
    returned    integer default 0,
    put_back    integer default null
)
returns integer
language plpgsql
volatile
as $$
declare
    v_left     bigint[];
    v_id       bigint;
    v_is_gated boolean;
begin
    select claim.open_ids, claim.keys is not null into v_left, v_is_gated
    from symphony.claim
    where claim.claim_id = _settle.claim_id;
    if v_left = message_ids then
        v_left := '{}';
    else
        foreach v_id in array message_ids loop
            v_left := array_remove(v_left, v_id);
        end loop;
    end if;

    update symphony.claim
    set open_ids    = v_left,
        finished_at = case when v_left = '{}' then symphony._now() end,
        retried     = claim.retried + _settle.retried,
        failed      = claim.failed + _settle.failed,
        returned    = claim.returned + _settle.returned,
        put_back    = coalesce(claim.put_back + _settle.put_back, _settle.put_back, claim.put_back)
    where claim.claim_id = _settle.claim_id;
    if v_is_gated then
        perform symphony._let_go(claim_id, case when retried + failed + returned = 0 then message_ids end);
    end if;
    return cardinality(message_ids);
end;
$$;

comment on function symphony._settle is
$$Strike messages off a claim whose row is locked.

Arguments  claim_id
           message_ids - from _hold_claim()
           retried - how many of them come back after an error
           failed - how many of them failed
           returned - how many of them were given back
           put_back - how many of these have to wait for their keys again; null: no one has to
Returns    how many messages that were
Writes     symphony.claim (updates one row); what _let_go() writes, if the queue has limits
Access     private$$;
