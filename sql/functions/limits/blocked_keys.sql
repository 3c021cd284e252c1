create or replace function symphony.blocked_keys(
    queue_name text default null,
    at_most    integer default 100
)
returns table (
    queue text, group_key text, waiting bigint, held_by bigint, held_by_is text,
    available_at timestamptz, in_hands bigint, worker text, since timestamptz
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
/* From one key to the next, however many messages each has; and a thousand of each are counted. */
#variable_conflict use_column
begin
    if blocked_keys.queue_name is not null then
        perform symphony._check_queues(array[blocked_keys.queue_name]);
    end if;
    perform symphony._check_number('at_most', at_most, 10000, 'It says how many keys are told.',
                                   'Name a queue to see others.');
    return query
    with recursive key as (
        (select p.queue_name, p.group_key from symphony.parked as p
         where p.queue_name >= coalesce(blocked_keys.queue_name, '')
         order by p.queue_name, p.group_key limit 1)
        union all
        select next.queue_name, next.group_key
        from key
        cross join lateral (
            select p.queue_name, p.group_key from symphony.parked as p
            where (p.queue_name, p.group_key) > (key.queue_name, key.group_key)
            order by p.queue_name, p.group_key
            limit 1
        ) as next
        where key.queue_name = coalesce(blocked_keys.queue_name, key.queue_name)
    ), told as materialized (
        select * from key where key.queue_name = coalesce(blocked_keys.queue_name, key.queue_name)
        limit blocked_keys.at_most
    ), hand as materialized (
        select newest.queue_name, m.group_key, count(*) as messages, min(c.worker) as worker,
               min(c.claimed_at) as since
        from (select distinct on (g.queue_name) g.queue_name, g.open_claims
              from symphony.gate as g order by g.queue_name, g.gate_id desc) as newest
        join symphony.claim as c on c.claim_id = any (newest.open_claims)
        cross join lateral unnest(c.open_ids) as open (message_id)
        join symphony.message as m on m.message_id = open.message_id
        group by newest.queue_name, m.group_key
    )
    select told.queue_name, told.group_key,
           (select count(*) from (select from symphony.parked as p
                                  where p.queue_name = told.queue_name and p.group_key = told.group_key
                                  limit 1000) as found),
           h.message_id, s.status,
           coalesce(case when s.status = 'delayed' then s.available_at end, pace.next_at),
           coalesce(hand.messages, 0), hand.worker, coalesce(h.held_at, hand.since)
    from told
    left join symphony.held_key as h
        on h.queue_name = told.queue_name and h.group_key = told.group_key
    left join lateral symphony._message_status(h.message_id) as s on true
    left join lateral (
        select k.next_at from symphony.key_pace as k
        where k.queue_name = told.queue_name and k.group_key = told.group_key
        order by k.pace_id desc
        limit 1
    ) as pace on true
    left join hand on hand.queue_name = told.queue_name and hand.group_key = told.group_key;
end;
$$;

comment on function symphony.blocked_keys is
$$The keys of which messages wait, and what they wait for.

Arguments  queue_name - of this queue; null: of all
           at_most - how many keys, 1 to 10,000
Returns    a row for each key, in order
           queue - the queue
           group_key - the key
           waiting - how many messages wait; 1000 means that many or more
           held_by - the message that holds the key, since it did not succeed
           held_by_is - its status
           available_at - when that one comes back, if it is delayed; or when the rate of the key
               allows the next one
           in_hands - how many messages of the key are in the hands of workers
           worker - one that has them
           since - when the key was held, or the first of them was claimed
Raises     SY001 unknown_queue
           22023 invalid_parameter_value
Access     operator, observer$$;
