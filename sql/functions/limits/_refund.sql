create or replace function symphony._refund(
    lane_id  integer,
    taken    bigint[],
    keys     text[],
    open_ids bigint[],
    now      timestamptz
)
returns void
language plpgsql
volatile
as $$
/*
 * Each bucket is left as it were if no more had been taken than what is open.
 */
declare
    v_queue symphony.queue;
begin
    select queue.* into v_queue
    from symphony.lane
    join symphony.queue on queue.queue_name = lane.queue_name
    where lane.lane_id = _refund.lane_id;
    if v_queue.rate is not null then
        update symphony.gate
        set full_at = gate.full_at
                - (symphony._full_at(v_queue.rate, v_queue.burst, null, now, cardinality(taken))
                   - symphony._full_at(v_queue.rate, v_queue.burst, null, now, cardinality(open_ids)))
        where gate.queue_name = v_queue.queue_name
          and gate.gate_id = (select max(newest.gate_id) from symphony.gate as newest
                              where newest.queue_name = v_queue.queue_name);
    end if;
    if v_queue.key_rate is not null then
        with key as (
            select each.group_key, count(*) as messages,
                   count(*) filter (where each.message_id = any (_refund.open_ids)) as left_over
            from unnest(taken, keys) as each (message_id, group_key)
            where each.group_key is not null
            group by each.group_key
        ), pace as (
            select newest.pace_id, key.group_key,
                   newest.full_at - (symphony._full_at(v_queue.key_rate, null, null, now, key.messages)
                                     - symphony._full_at(v_queue.key_rate, null, null, now, key.left_over))
                   as full_at
            from key
            cross join lateral (
                select key_pace.pace_id, key_pace.full_at
                from symphony.key_pace
                where key_pace.queue_name = v_queue.queue_name and key_pace.group_key = key.group_key
                order by key_pace.pace_id desc
                limit 1
            ) as newest
            where key.left_over < key.messages
        )
        update symphony.key_pace
        set full_at = pace.full_at,
            next_at = case when key_pace.next_at is not null then greatest(
                symphony._next_token_at(v_queue.key_rate, null, pace.full_at), now) end
        from pace
        where key_pace.group_key = any (array(select pace.group_key from pace))
          and key_pace.queue_name = v_queue.queue_name and key_pace.group_key = pace.group_key
          and key_pace.pace_id = pace.pace_id;
    end if;
end;
$$;

comment on function symphony._refund is
$$Give the tokens back of messages that a claim has taken and does not hand out.

Arguments  lane_id - locked, and the gate of its queue, too
           taken - the messages of the claim
           keys - of these, if keys are limited
           open_ids - those of them that it hands out
           now - when they were taken
Writes     symphony.gate, symphony.key_pace
Access     private$$;
