create or replace function symphony._expire(lane_id integer, last_claim_id bigint)
returns bigint[]
language plpgsql
volatile
as $$
/*
 * A message that fails in an ordered queue may hold its key, and what follows it in the claim is given back
 * then: among it may be others that are late. Behind one that is not late it is given back as well, or it
 * would hold the key before its turn, and go first once it is replayed.
 */
declare
    v_claim   record;
    v_message record;
    v_late    bigint[] := '{}';
    v_back    bigint[] := '{}';
    v_behind  bigint[];
    v_dropped bigint[];
    v_open    bigint[];
begin
    select c.claim_id, c.open_ids, c.keys, c.claimed_at, c.keys is not null as is_gated into v_claim
    from symphony._position(_expire.lane_id) as p
    join symphony.claim as c on c.claim_id = p.claim_id
    where p.claim_id <> last_claim_id;
    for v_message in
        select m.message_id, m.on_expiry
        from unnest(v_claim.open_ids) with ordinality as open (message_id, number)
        join symphony.message as m on m.message_id = open.message_id
        where m.expires_at <= v_claim.claimed_at
        order by open.number
    loop
        continue when v_message.message_id = any (v_back);
        if v_claim.is_gated and v_message.on_expiry is null
           and symphony._is_behind(v_claim.claim_id, v_message.message_id)
        then
            v_behind := symphony._followers(v_claim.claim_id, array[v_message.message_id]);
            perform symphony._park_again(v_claim.claim_id, v_behind);
            v_back := v_back || v_behind;
            continue;
        end if;
        v_late := v_late || v_message.message_id;
        if v_claim.is_gated and v_message.on_expiry is null then
            v_back := v_back || symphony._hold_back(v_claim.claim_id, v_message.message_id, is_final => true);
        end if;
    end loop;
    if v_late = '{}' and v_back = '{}' then
        return v_claim.open_ids;
    end if;
    if v_late <> '{}' then
        v_dropped := symphony._fail_late(v_late, v_claim.claimed_at);
        perform symphony._settle(
            v_claim.claim_id, v_late, failed => cardinality(v_late) - cardinality(v_dropped),
            returned => cardinality(v_dropped));
    end if;
    select claim.open_ids into v_open from symphony.claim where claim.claim_id = v_claim.claim_id;
    if v_claim.is_gated then
        perform symphony._refund(_expire.lane_id, v_claim.open_ids, v_claim.keys, v_open, v_claim.claimed_at);
    end if;
    return v_open;
end;
$$;

comment on function symphony._expire(integer, bigint) is
$$Settle those messages of the newest claim of a lane that had expired when it was made.

Arguments  lane_id - locked
           last_claim_id - the newest claim before that one: if it still is, nothing is done
Returns    those of its messages that are open; null: there is no new claim
Writes     symphony.claim, what _fail_late(), _hold_back() and _refund() write
Access     private$$;

revoke execute on function symphony._expire(integer, bigint) from public;
