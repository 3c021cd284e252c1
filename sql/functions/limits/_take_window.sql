create or replace function symphony._take_window(
    lane_id  integer,
    queue    symphony.queue,
    run      int8range,
    after_id bigint,
    busy     jsonb,
    mine     jsonb,
    bounds   jsonb,
    may_wait boolean,
    claim_id bigint,
    passed   integer,
    at_most  integer,
    size     integer,
    now      timestamptz,
    out ids    bigint[],
    out keys   text[],
    out holds  boolean,
    out seen   integer,
    out parked_keys text[],
    out last_txid       bigint,
    out last_message_id bigint
)
language plpgsql
volatile
as $$
begin
    with given as materialized (
        select row_number() over () as number, m.txid, m.message_id, m.group_key
        from symphony._run(_take_window.lane_id, run, after_id, size) as m
    ), key as materialized (
        select k.group_key, head.message_id as held_by, allowed.messages > 0 is not false as may_go,
               case
                   when may_wait and exists (
                       select from symphony.parked as p
                       where p.queue_name = queue.queue_name and p.group_key = k.group_key
                         and p.place >= coalesce((bounds -> k.group_key)::bigint, -9223372036854775808))
                   then 0
                   else least(allowed.messages, size)
               end as room
        from (select distinct given.group_key from given where given.group_key is not null) as k
        cross join lateral (
            select symphony._room_of_key(queue, k.group_key, (busy -> k.group_key)::bigint, now)
                   - coalesce((mine -> k.group_key)::bigint, 0) as messages
        ) as allowed
        left join lateral symphony._head_of_key(
            queue.queue_name, case when may_wait then k.group_key end) as head on true
    ), marked as (
        select given.*, key.held_by = given.message_id as is_head,
               case
                   when key.group_key is null then true
                   when key.held_by is not null then key.held_by = given.message_id and key.may_go
                   else row_number() over (partition by given.group_key order by given.number) <= key.room
               end as is_free
        from given
        left join key on key.group_key = given.group_key
    ), counted as materialized (
        select marked.*, count(*) filter (where marked.is_free) over (order by marked.number) as taken
        from marked
    ), used as materialized (
        select counted.* from counted
        where counted.taken < at_most or counted.taken = at_most and counted.is_free
    ), parking as (
        insert into symphony.parked (queue_name, group_key, place, ordinal, lane_id, message_id)
        select queue.queue_name, used.group_key, _take_window.claim_id, passed + used.number,
               _take_window.lane_id, used.message_id
        from used
        where not used.is_free
    )
    select coalesce(array_agg(used.message_id order by used.number) filter (where used.is_free), '{}'),
           coalesce(array_agg(used.group_key order by used.number) filter (where used.is_free), '{}'),
           coalesce(bool_or(used.is_head and used.is_free), false), count(*),
           coalesce(array_agg(distinct used.group_key) filter (where not used.is_free), '{}'),
           (array_agg(used.txid order by used.number desc))[1],
           (array_agg(used.message_id order by used.number desc))[1]
    into ids, keys, holds, seen, parked_keys, last_txid, last_message_id
    from used;
end;
$$;

comment on function symphony._take_window is
$$Go through the next messages of a lane: take those whose key is free, and park the others.

Arguments  lane_id - locked, and the gate, too
           queue - its settings
           run - transactions, as for _run()
           after_id - as for _run()
           busy - how many messages of each key were in hands
           mine - how many of each key this claim has taken before, unless the order is all that
               limits them
           bounds - what _key_bounds() says
           may_wait - false: nothing of the queue is parked or held
           claim_id - of the claim that takes them
           passed - how many messages it has gone through before
           at_most - how many to take
           size - how many to go through
           now
Returns    ids - of the messages that were taken
           keys - of these messages
           holds - whether one of them holds its key
           seen - how many it went through, up to the last that was taken
           parked_keys - keys of which it parked something
           last_txid - of the last one
           last_message_id - the last one
Writes     symphony.parked
Access     private$$;
