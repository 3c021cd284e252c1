create or replace function symphony.release_unheard(
    worker   text,
    after    bigint,
    received bigint default null
)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
/*
 * No handler has had these messages, so they are no suspects, and need not wait for their lease.
 */
declare
    v_claim_id bigint;
    v_count    integer := 0;
begin
    for v_claim_id in
        select claim.claim_id
        from symphony.claim
        where claim.claim_id > release_unheard.after
          and claim.claim_id is distinct from release_unheard.received
          and claim.worker = release_unheard.worker
          and claim.open_ids <> '{}'
        order by claim.claim_id
    loop
        begin
            v_count := v_count + symphony.release(v_claim_id);
        exception
            when sqlstate 'SY010' then    -- its lease has ended
        end;
    end loop;
    return v_count;
end;
$$;

comment on function symphony.release_unheard is
$$Give back what a worker has claimed without knowing: the connection was lost before the answer came.
The messages are pending again and no attempt is used.

Arguments  worker - a name that no other worker has, or what another one holds is given back
           after - the last claim that it had received before, or 0
           received - the one that it has received since; null: none
Returns    how many messages were given back. They queue up at the end of their lane
Writes     symphony.message, symphony.claim
Access     consumer$$;
