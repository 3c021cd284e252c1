create or replace function symphony._room_of_key(
    queue     symphony.queue,
    group_key text,
    in_hands  bigint,
    now       timestamptz
)
returns bigint
language sql
stable
as $$
    /* An ordered key is in one hand, whatever key_concurrency says. */
    select least(
        case when not queue.ordered then queue.key_concurrency operator(pg_catalog.-) coalesce(in_hands, 0)
             when in_hands operator(pg_catalog.>) 0 then 0 end,
        case when queue.key_rate is not null then (
            select symphony._tokens(queue.key_rate, null, (
                select key_pace.full_at from symphony.key_pace
                where key_pace.queue_name operator(pg_catalog.=) queue.queue_name
                  and key_pace.group_key operator(pg_catalog.=) _room_of_key.group_key
                order by key_pace.pace_id desc
                limit 1), now)) end)
$$;

comment on function symphony._room_of_key is
$$How many messages of a key may be handed out, as far as others are in hands and its rate allows.

Arguments  queue - its settings
           group_key
           in_hands - how many of the key are, those of this claim not counted in an ordered queue
           now
Returns    the number, 0 or less: none; null: any
Access     private$$;
