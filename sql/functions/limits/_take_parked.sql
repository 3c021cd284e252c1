create or replace function symphony._take_parked(
    lane_id  integer,
    queue    symphony.queue,
    claims   bigint[],
    busy     jsonb,
    at_most  integer,
    out ids   bigint[],
    out keys  text[],
    out holds boolean
)
language plpgsql
volatile
as $$
/*
 * Only keys that were let go can have anything: those of the claims at the gate, and of freed_key.  The
 * key whose first message was passed first goes first.  Of a key that is held, the head may be parked.
 */
begin
    with candidate as (
        select unnest(claim.keys) as group_key
        from symphony.claim where claim.claim_id = any (_take_parked.claims)
        union
        select freed_key.group_key
        from symphony.freed_key where freed_key.queue_name = queue.queue_name
    ), ready as materialized (
        select candidate.group_key, first.place, first.ordinal, held_key.message_id as held_by,
               case when held_key.message_id is not null then 1
                    when queue.ordered then _take_parked.at_most
                    else queue.key_concurrency - coalesce((busy -> candidate.group_key)::integer, 0)
               end as room
        from candidate
        cross join lateral (
            select p.place, p.ordinal, p.message_id, p.lane_id
            from symphony.parked as p
            where p.queue_name = queue.queue_name and p.group_key = candidate.group_key
            order by p.place, p.ordinal
            limit 1
        ) as first
        left join symphony.held_key
            on held_key.queue_name = queue.queue_name and held_key.group_key = candidate.group_key
        where first.lane_id = _take_parked.lane_id
          and coalesce((busy -> candidate.group_key)::integer, 0) < coalesce(queue.key_concurrency, 1)
          and (held_key.message_id is null or held_key.message_id = first.message_id)
        order by first.place, first.ordinal
        limit _take_parked.at_most
    ), chosen as materialized (
        select ready.held_by, row_number() over (order by ready.place, ready.ordinal, ready.group_key,
                                                 p.place, p.ordinal) as number, p.*
        from ready
        cross join lateral (
            select * from symphony.parked
            where parked.queue_name = queue.queue_name and parked.group_key = ready.group_key
            order by parked.place, parked.ordinal
            limit ready.room
        ) as p
        where p.lane_id = _take_parked.lane_id
    ), taken as materialized (
        select * from chosen order by chosen.number limit _take_parked.at_most
    ), gone as (
        delete from symphony.parked as p
        using taken as t
        where p.queue_name = t.queue_name and p.group_key = t.group_key
          and p.place = t.place and p.ordinal = t.ordinal
    )
    select coalesce(array_agg(taken.message_id order by taken.number), '{}'),
           coalesce(array_agg(taken.group_key order by taken.number), '{}'),
           coalesce(bool_or(taken.held_by is not null), false)
    into ids, keys, holds
    from taken;
end;
$$;

comment on function symphony._take_parked(integer, symphony.queue, bigint[], jsonb, integer) is
$$Take messages of a lane that were parked, and whose keys were let go since.

Arguments  lane_id - locked, and the gate, too
           queue - its settings
           claims - those at the gate
           busy - what _busy_keys() says of them
           at_most - how many
Returns    ids - of the messages, those of a key in order
           keys - of the messages
           holds - whether one of them holds its key
Writes     symphony.parked
Access     private$$;

revoke execute on function
    symphony._take_parked(integer, symphony.queue, bigint[], jsonb, integer) from public;
