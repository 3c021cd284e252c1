create or replace function symphony._purge_lane(
    lane_id integer,
    before  timestamptz,
    at_most integer,
    out messages integer,
    out work     integer,
    out has_more boolean
)
language plpgsql
volatile
as $$
/*
 * Messages behind the last claim that is over may go, up to the first message that is still ahead of it,
 * waits for its key, or did so and is in hands, and up to the oldest transaction that is still running,
 * which may yet add messages there.  Who purges holds the row of the lane's purge_position.
 */
declare
    v_from   record;
    v_gate   bigint;
    v_tally  symphony.tally;
    v_over   record;
    v_claim  symphony.claim;
    v_stop   record;
    v_last   record;
    v_oldest bigint := pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
    v_whole  boolean;
begin
    messages := 0;
    work := 0;
    has_more := false;
    select p.txid, p.message_id, p.claim_id into v_from
    from symphony.purge_position as p
    where p.lane_id = _purge_lane.lane_id
    for no key update skip locked;
    if not found then
        return;
    end if;

    v_tally := symphony._folded_tally(lane_id, v_from.claim_id);
    v_gate := symphony._first_at_gate(lane_id);
    v_over := symphony._last_over(lane_id, v_from.claim_id, before, v_tally, v_gate, at_most);
    v_claim := v_over.claim;
    work := v_over.work;

    select first.txid, first.message_id into v_stop
    from symphony._first_kept(lane_id, v_claim.claim_id, v_claim.ahead, v_claim.partial_txid,
                              v_claim.partial_message_id, v_oldest, v_from.txid, v_from.message_id,
                              at_most) as first;

    with old as (
        select m.ctid as place, m.txid, m.message_id
        from symphony.message as m
        where m.lane_id = _purge_lane.lane_id
          and (m.txid, m.message_id) > (v_from.txid, v_from.message_id)
          and (m.txid, m.message_id) < (coalesce(v_stop.txid, v_oldest), coalesce(v_stop.message_id, 0))
          and v_claim.claim_id is not null
        order by m.txid, m.message_id
        limit at_most + 1
    ), gone as (
        delete from symphony.message as m
        where m.ctid = any (array(select old.place from old limit at_most))    -- nobody updates them any more
    )
    select count(*) as purged, array_agg(old.message_id) as ids, max(old.txid) as txid,
           (array_agg(old.message_id))[count(*)] as message_id,
           (select count(*) from old) > at_most as has_more
    into v_last
    from (select * from old limit at_most) as old;
    perform symphony._forget(v_last.ids);

    messages := v_last.purged;
    v_whole := not v_last.has_more and coalesce(v_stop.txid, v_oldest) >= (
        select greatest(lower(part), v_claim.partial_txid)
        from unnest(v_claim.ahead) as part
        where upper_inf(part));
    if messages > 0 or least(v_claim.claim_id, v_gate) > v_from.claim_id then
        perform symphony._purge_claims(_purge_lane.lane_id, least(v_claim.claim_id, v_gate),
                                       coalesce(v_last.txid, v_from.txid),
                                       coalesce(v_last.message_id, v_from.message_id), v_whole);
    end if;
    work := case when v_whole then greatest(messages, work) else messages end;
    has_more := work >= at_most;
end;
$$;

comment on function symphony._purge_lane is
$$Remove messages of a lane that were completed before a time, and the claims that handed them out.

Arguments  lane_id
           before - the end of the retention
           at_most - so many of them, and about as many claims
Returns    messages - how many messages were removed
           work - how many messages were removed, or are of the claims gone through
           has_more - whether others may be left. Nothing is done while another session purges the
               lane
Writes     symphony.message, and what _forget() and _purge_claims() write
Access     private$$;
