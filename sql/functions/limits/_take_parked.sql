create or replace function symphony._take_parked(
    lane_id  integer,
    queue    symphony.queue,
    bounds   jsonb,
    busy     jsonb,
    at_most  integer,
    now      timestamptz,
    out ids   bigint[],
    out keys  text[],
    out holds boolean,
    out first_place bigint
)
language plpgsql
volatile
as $$
/*
 * The key whose first message was passed first goes first.  Of a key that is held, only the head may go.
 */
begin
    with candidate as (
        select each.key as group_key, each.value::bigint as bound from jsonb_each(bounds) as each
    ), ready as materialized (
        select candidate.group_key, first.place, first.ordinal, head.message_id as held_by,
               least(case when head.message_id is not null then 1 end, allowed.messages,
                     _take_parked.at_most) as room
        from candidate
        left join lateral symphony._head_of_key(queue.queue_name, candidate.group_key) as head on true
        cross join lateral symphony._room_of_key(
            queue, candidate.group_key, (busy -> candidate.group_key)::bigint, now) as allowed (messages)
        cross join lateral symphony._first_of_key(
            queue.queue_name, candidate.group_key, candidate.bound, head.message_id) as first
        where first.lane_id = _take_parked.lane_id
          and (allowed.messages > 0) is not false
        order by first.place, first.ordinal
        limit _take_parked.at_most
    ), chosen as materialized (
        select ready.held_by, row_number() over (order by ready.place, ready.ordinal, ready.group_key,
                                                 p.place, p.ordinal) as number, p.*
        from ready
        cross join lateral (
            select * from symphony.parked
            where parked.queue_name = queue.queue_name and parked.group_key = ready.group_key
              and (parked.place, parked.ordinal) >= (ready.place, ready.ordinal)
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
           coalesce(bool_or(taken.held_by is not null), false), min(taken.place)
    into ids, keys, holds, first_place
    from taken;
end;
$$;

comment on function symphony._take_parked is
$$Take messages of a lane that were parked, and whose keys were let go since.

Arguments  lane_id - locked, and the gate, too
           queue - its settings
           bounds - what _key_bounds() says
           busy - what _busy_keys() says
           at_most - how many
           now
Returns    ids - of the messages, those of a key in order
           keys - of the messages
           holds - whether one of them holds its key
           first_place - the least place of them
Writes     symphony.parked
Access     private$$;
