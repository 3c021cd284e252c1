create or replace function symphony._note_paces(
    queue       symphony.queue,
    taken       text[],
    bounds      jsonb,
    parked_keys text[],
    busy        jsonb,
    claim_id    bigint,
    now         timestamptz
)
returns void
language plpgsql
volatile
as $$
/*
 * A key of which something waits is looked at again when its rate allows that, or by the next claim if it
 * does so now.  If it is in as many hands as may be, or held, then whoever lets it go sees to that.
 */
begin
    with key as (
        select each.group_key, count(*) filter (where each.is_taken) as messages
        from (
            select unnest(taken) as group_key, true as is_taken
            union all
            select unnest(parked_keys), false
            union all
            select jsonb_object_keys(bounds), false
        ) as each
        where each.group_key is not null
        group by each.group_key
    ), paced as materialized (
        select key.group_key, key.messages, old.next_at as old_next_at,
               symphony._full_at(queue.key_rate, null, old.full_at, now, key.messages) as full_at,
               first.message_id is not null
               and coalesce((busy -> key.group_key)::bigint, 0) + key.messages
                   < case when queue.ordered then 1 else coalesce(queue.key_concurrency, 1000000) end as waits
        from key
        left join lateral (
            select key_pace.full_at, key_pace.next_at
            from symphony.key_pace
            where key_pace.queue_name = queue.queue_name and key_pace.group_key = key.group_key
            order by key_pace.pace_id desc
            limit 1
        ) as old on true
        left join lateral symphony._head_of_key(queue.queue_name, key.group_key) as head on true
        left join lateral symphony._first_of_key(
            queue.queue_name, key.group_key, coalesce((bounds -> key.group_key)::bigint, claim_id),
            head.message_id) as first on true
    ), news as materialized (
        select paced.group_key, paced.full_at, told.next_at
        from paced
        cross join lateral (
            select case when paced.waits
                        then greatest(symphony._next_token_at(queue.key_rate, null, paced.full_at), now)
                   end as next_at
        ) as told
        where paced.messages > 0 or told.next_at is distinct from paced.old_next_at
    ), gone as (
        delete from symphony.key_pace
        where key_pace.queue_name = queue.queue_name
          and key_pace.group_key = any (array(select news.group_key from news))
    )
    insert into symphony.key_pace (queue_name, group_key, full_at, next_at)
    select queue.queue_name, news.group_key, news.full_at, news.next_at
    from news;
end;
$$;

comment on function symphony._note_paces is
$$Note how many messages of each key were handed out, and when the next of what waits may be.

Arguments  queue - its settings; its gate is locked
           taken - the keys of the messages that were handed out
           bounds - what _key_bounds() has said
           parked_keys - keys of which messages were parked
           busy - what _busy_keys() has said
           claim_id - that they were taken by
           now
Writes     symphony.key_pace
Access     private$$;
