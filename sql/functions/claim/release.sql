create or replace function symphony.release(
    claim_id    bigint,
    message_ids bigint[] default null
)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
declare
    v_ids   bigint[] := symphony._hold_claim(release.claim_id, release.message_ids);
    v_kept  bigint[] := symphony._give_back(release.claim_id, v_ids);
    v_lanes integer[];
begin
    v_ids := array(select id from unnest(v_ids) as id where id <> all (v_kept));
    if v_ids = '{}' then
        return cardinality(v_kept);
    end if;
    with again as (
        update symphony.message
        set txid = pg_current_xact_id()::text::bigint
        where message.message_id = any (v_ids)
        returning message.lane_id
    )
    select array_agg(distinct again.lane_id) into v_lanes from again;
    perform symphony._wake_workers(v_lanes);
    return cardinality(v_kept)
           + symphony._settle(release.claim_id, v_ids, returned => cardinality(v_ids));
end;
$$;

comment on function symphony.release is
$$Give messages back that were not started: they are pending again and no attempt is used.

Arguments  claim_id - from claim_batch()
           message_ids - those to give back; null: all that are left
Returns    how many messages were given back. They queue up at the end of their lane. In an ordered
               queue those with a key keep their place, and the open ones behind them in the claim
               are given back, too
Raises     SY010 lease_lost - the lease ended, or a message is already settled
           SY013 message_returned - one before it of its key did not succeed
Writes     symphony.message, symphony.claim (updates one row), symphony.parked
Access     consumer$$;
