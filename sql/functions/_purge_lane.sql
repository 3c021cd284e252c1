create or replace function symphony._purge_lane(lane_id integer, before timestamptz)
returns integer
language plpgsql
volatile
as $$
/*
 * Claims are walked in order up to the first that is not finished or too young.  The
 * lowest transaction that is still ahead of the last of them is where messages may stay:
 * below it everything was handed out by these claims.  A message that came back since has
 * a higher transaction.
 */
declare
    v_from   record;
    v_claim  record;
    v_last   record;
    v_purged integer := 0;
begin
    select coalesce(max(p.txid), 0) as txid, coalesce(max(p.message_id), 0) as message_id,
           coalesce(max(p.claim_id), 0) as claim_id
    into v_from
    from symphony.purge_position as p
    where p.lane_id = _purge_lane.lane_id;

    select walked.claim_id, lower(walked.ahead) as end_txid into v_claim
    from (
        select c.claim_id, c.ahead,
               bool_and(c.open_ids = '{}' and c.finished_at < before) over (order by c.claim_id) as is_over
        from symphony.claim as c
        where c.lane_id = _purge_lane.lane_id and c.claim_id > v_from.claim_id
        order by c.claim_id
        limit 10000
    ) as walked
    where walked.is_over
    order by walked.claim_id desc
    limit 1;
    if not found then
        return 0;
    end if;

    with old as (
        select m.txid, m.message_id
        from symphony.message as m
        where m.lane_id = _purge_lane.lane_id
          and (m.txid, m.message_id) > (v_from.txid, v_from.message_id)
          and m.txid < v_claim.end_txid
        order by m.txid, m.message_id
        limit 10000
    ), gone as (
        delete from symphony.message as m
        where m.message_id = any (array(select old.message_id from old))
    )
    select count(*) as purged, max(txid) as txid, (array_agg(message_id order by txid desc, message_id desc))[1] as message_id
    into v_last
    from old;
    v_purged := v_last.purged;

    if v_purged < 10000 then
        delete from symphony.claim as c
        where c.lane_id = _purge_lane.lane_id
          and c.claim_id <= v_claim.claim_id
          and c.claim_id > v_from.claim_id - 1
          and c.claim_id < (select p.claim_id from symphony._position(_purge_lane.lane_id) as p);
        v_from.claim_id := v_claim.claim_id;
    end if;
    insert into symphony.purge_position as p (lane_id, txid, message_id, claim_id)
    values (_purge_lane.lane_id, coalesce(v_last.txid, v_from.txid),
            coalesce(v_last.message_id, v_from.message_id), v_from.claim_id)
    on conflict on constraint purge_position_pkey do update
        set txid = excluded.txid, message_id = excluded.message_id, claim_id = excluded.claim_id;
    return v_purged;
end;
$$;

comment on function symphony._purge_lane(integer, timestamptz) is
$$Remove messages of a lane that were completed before a time, and the claims that handed them out.

Arguments  lane_id; before - the end of the retention
Returns    how many messages were removed, at most 10,000 at once
Writes     symphony.message, symphony.claim, symphony.purge_position
Access     private$$;

revoke execute on function symphony._purge_lane(integer, timestamptz) from public;
