create or replace function symphony._key_incidents(now timestamptz)
returns setof symphony.incident
language plpgsql
stable
as $$
/* Of ten thousand keys that are held, the ten that have been for the longest. */
begin
    return query
    select 'warning', 'key_held', format('%s/%s', held.queue_name, held.group_key),
           format('Queue "%s": messages of key %s have waited for %s.', held.queue_name, held.group_key,
                  symphony._duration(now - held.held_at)),
           held.held_at, symphony._key_remark(first.message_id, now),
           format('select symphony.release_key(%L, %L);', held.queue_name, held.group_key)
    from (
        select h.* from (select * from symphony.held_key limit 10000) as h
        where h.held_at < now - (symphony._thresholds()).held
        order by h.held_at
        limit 10
    ) as held
    cross join lateral (
        select p.message_id from symphony.parked as p
        where p.queue_name = held.queue_name and p.group_key = held.group_key
        limit 1
    ) as first;
end;
$$;

comment on function symphony._key_incidents(timestamptz) is
$$Keys that one message has held for long, while others wait.

Arguments  now
Access     private$$;

revoke execute on function symphony._key_incidents(timestamptz) from public;
