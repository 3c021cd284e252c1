create or replace function symphony._expire(lane_id integer, last_claim_id bigint)
returns bigint[]
language plpgsql
volatile
as $$
/*
 * A message that fails in an ordered queue holds its key, if the queue says so, and lets it go otherwise.
 */
declare
    v_claim   record;
    v_late    bigint[];
    v_back    bigint[];
    v_fail    bigint[];
    v_dropped bigint[];
    v_open    bigint[];
begin
    select c.claim_id, c.open_ids, c.keys, c.claimed_at, c.keys is not null as is_gated into v_claim
    from symphony._position(_expire.lane_id) as p
    join symphony.claim as c on c.claim_id = p.claim_id
    where p.claim_id <> last_claim_id;
    if not exists (select from symphony.message
                   where message.message_id = any (v_claim.open_ids)
                     and message.expires_at <= v_claim.claimed_at)
    then
        return v_claim.open_ids;
    end if;
    select coalesce(array_agg(l.message_id order by l.number) filter (where not l.is_returned), '{}'),
           coalesce(array_agg(l.message_id order by l.number) filter (where l.is_returned), '{}'),
           array_agg(l.message_id) filter (where l.fails)
    into v_late, v_back, v_fail
    from symphony._late(v_claim.claim_id) as l;
    if v_back <> '{}' then
        perform symphony._park_again(v_claim.claim_id, v_back);
    end if;
    if v_late <> '{}' then
        if v_claim.is_gated then
            perform symphony._hold_keys(v_fail, is_final => true);
        end if;
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

comment on function symphony._expire is
$$Settle those messages of the newest claim of a lane that had expired when it was made.

Arguments  lane_id - locked
           last_claim_id - the newest claim before that one: if it still is, nothing is done
Returns    those of its messages that are open; null: there is no new claim
Writes     symphony.claim, what _park_again(), _hold_keys(), _fail_late() and _refund() write
Access     private$$;
