create or replace function symphony._key_remark(message_id bigint, now timestamptz)
returns text
language plpgsql
stable
as $$
declare
    v_key   record;
    v_claim record;
    v_head  record;
    v_pace  record;
begin
    select p.queue_name, p.group_key into v_key
    from symphony.parked as p
    where p.message_id = _key_remark.message_id;
    select h.message_id, s.status, s.available_at into v_head
    from symphony.held_key as h
    cross join lateral symphony._message_status(h.message_id) as s
    where h.queue_name = v_key.queue_name and h.group_key = v_key.group_key;
    if v_head.status = 'failed' then
        return format('Its key %1$s is held by message %2$s, which failed for good: symphony-pg failed retry '
                      '%2$s, or symphony-pg failed remove %2$s.', v_key.group_key, v_head.message_id);
    elsif v_head.status = 'delayed' then
        return format('Its key %s is held by message %s, which is handed out again at %s.', v_key.group_key,
                      v_head.message_id, v_head.available_at);
    elsif v_head.status in ('pending', 'waiting') then
        return format('Its key %s is held by message %s, which is the next.', v_key.group_key,
                      v_head.message_id);
    end if;
    select q.key_rate, newest.next_at into v_pace    -- there is no moment if it is in too many hands
    from symphony.queue as q
    cross join lateral (
        select k.next_at from symphony.key_pace as k
        where k.queue_name = q.queue_name and k.group_key = v_key.group_key
        order by k.pace_id desc
        limit 1
    ) as newest
    where q.queue_name = v_key.queue_name;
    if v_pace.next_at > now then
        return format('The rate of its key %s, %s, allows the next one in %s s.', v_key.group_key,
                      v_pace.key_rate,
                      round(greatest(extract(epoch from v_pace.next_at - now), 0.001), 3)::real);
    end if;
    select c.worker, c.claimed_at into v_claim
    from (select g.open_claims from symphony.gate as g where g.queue_name = v_key.queue_name
          order by g.gate_id desc limit 1) as newest
    join symphony.claim as c on c.claim_id = any (newest.open_claims)
    cross join lateral unnest(c.open_ids) as open (message_id)
    join symphony.message as m on m.message_id = open.message_id
    where m.group_key = v_key.group_key
    order by c.claimed_at
    limit 1;
    if found then
        return format('Its key %s is in the hands of %s, for %s.', v_key.group_key,
                      coalesce(v_claim.worker, 'a worker'), date_trunc('second', now - v_claim.claimed_at));
    end if;
    return format('Its key %s is free again, and it is handed out when a worker asks.', v_key.group_key);
end;
$$;

comment on function symphony._key_remark is
$$What a message that is parked waits for, as a sentence for why_not_running().

Arguments  message_id
           now
Access     private$$;
